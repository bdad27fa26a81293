import { open } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import dicomParser, { type DataSet } from 'dicom-parser';
import { readError } from './byte-reader.ts';
import { transferSyntaxName } from './dicom-syntax.ts';
import { ImagingError } from './errors.ts';

const implicitLittle = '1.2.840.10008.1.2';
const explicitLittle = '1.2.840.10008.1.2.1';
const deflated = '1.2.840.10008.1.2.1.99';
const explicitBig = '1.2.840.10008.1.2.2';

/** Most headers of slices fit in this; longer ones are read whole. */
const firstBytes = 1 << 15;

/** A slice takes at most a few MiB; a longer file is none. */
const mostBytes = 1 << 30;

/** Where the pixels of a file are. */
export interface PixelPlace {
  readonly file: string;
  /** In the file, or in what it unpacks to; absent where there are none or they are compressed. */
  readonly pixels?: { readonly offset: number; readonly length: number; readonly unpacked?: Uint8Array };
}

/** A DICOM file up to its pixels. */
export interface DicomFile extends PixelPlace {
  readonly data: DataSet;
  readonly syntax: string;
  readonly hasPixels: boolean;
  /** Name of the transfer syntax of compressed pixels. */
  readonly compressed?: string;
}

/**
 * Reads a file of DICOM up to its pixels; also one without preamble and meta header. Undefined where a file is something else
 * and does not pretend otherwise by its name. Throws ImagingError for a damaged one.
 */
export async function readDicomFile(file: string): Promise<DicomFile | undefined> {
  const start = await readBytes(file, 0, firstBytes);
  const syntax = start.toString('latin1', 128, 132) === 'DICM' ? undefined : syntaxWithoutMeta(start);
  if (syntax === 'none') {
    if (!/\.(dcm|dicom|ima)$/i.test(file)) return undefined;
    const found = start.length === 0 ? 'an empty file' : 'other content';
    const hint = 'Copy the file again, or take it out of the folder.';
    throw new ImagingError({ file, field: 'magic', expected: '"DICM" at byte 128', found, hint });
  }
  // Pixels are not needed here, so most often the beginning of the file is enough.
  let parsed = start.length < firstBytes ? undefined : tryParse(start, syntax);
  if (parsed === undefined || 'problem' in parsed || parsed.data.elements.x7fe00010 === undefined)
    parsed = tryParse(await readBytes(file, 0, mostBytes), syntax);
  if ('problem' in parsed) {
    const hint = 'Copy the file again, or take it out of the folder.';
    const expected = 'a sound DICOM data set';
    throw new ImagingError({ file, field: 'data set', expected, found: parsed.problem, hint });
  }
  const { data } = parsed;
  const used = textOf(data, 'x00020010') || syntax || implicitLittle;
  const element = data.elements.x7fe00010;
  const pixels = element && { offset: element.dataOffset, length: element.length };
  if (pixels === undefined) return { file, data, syntax: used, hasPixels: false };
  const plain = [implicitLittle, explicitLittle, explicitBig, deflated].includes(used);
  if (!plain || element.hadUndefinedLength)
    return { file, data, syntax: used, hasPixels: true, compressed: transferSyntaxName(used) };
  const unpacked = used === deflated ? (data.byteArray as Uint8Array) : undefined;
  return { file, data, syntax: used, hasPixels: true, pixels: { ...pixels, unpacked } };
}

/** The bytes of a file's pixels. Throws ImagingError where the file ends before them. */
export async function readPixels({ file, pixels }: PixelPlace, bytes: number): Promise<Buffer> {
  const { offset, unpacked } = pixels!;
  const found =
    unpacked === undefined
      ? await readBytes(file, offset, bytes)
      : Buffer.from(unpacked.subarray(offset, offset + bytes));
  if (found.length === bytes) return found;
  throw new ImagingError({
    file,
    field: 'Pixel Data (7FE0,0010)',
    expected: `${bytes} bytes`,
    found: `${found.length}`,
    hint: 'The file is cut short: copy it again.',
  });
}

/** Value number n of an attribute as text without spaces at its ends; empty where there is none. */
export function textOf(data: DataSet, tag: string, n = 0): string {
  return data.string(tag)?.split('\\')[n]?.trim() ?? '';
}

/** Whether its elements are stored from the most significant byte on. */
export const isBigEndian = ({ syntax }: DicomFile): boolean => syntax === explicitBig;

/** The syntax of a data set that begins at byte 0, from its first element, which is of group 0008. */
function syntaxWithoutMeta(start: Buffer): string | undefined | 'none' {
  if (start.length < 8 || start.readUInt16LE(0) !== 8 || start.readUInt16LE(2) > 0x70) return 'none';
  return /^[A-Z]{2}$/.test(start.toString('latin1', 4, 6)) ? explicitLittle : implicitLittle;
}

function tryParse(bytes: Buffer, syntax: string | undefined): { data: DataSet } | { problem: string } {
  try {
    const options = { untilTag: 'x7fe00010', TransferSyntaxUID: syntax, inflater };
    return { data: dicomParser.parseDicom(bytes, options) };
  } catch (error) {
    // The library throws texts, errors, and objects with both an error and what was read until then.
    const cause =
      typeof error === 'object' && error !== null && 'exception' in error ? error.exception : error;
    const text = cause instanceof Error ? cause.message : String(cause);
    return { problem: text.replace(/^dicomParser\.\w+: /, '') };
  }
}

/** The whole data set of a deflated file, behind its meta header; of no more than a sound slice takes. */
function inflater(bytes: Uint8Array, position: number): Uint8Array {
  const data = inflateRawSync(bytes.subarray(position), { maxOutputLength: mostBytes });
  return Buffer.concat([bytes.subarray(0, position), data]);
}

async function readBytes(file: string, offset: number, bytes: number): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, size - offset)));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw readError(file, error);
  }
}
