import { type Affine, isUsableAffine } from '../volume/affine.ts';
import { unitInMm } from '../volume/length-units.ts';
import type { ElementType } from '../volume/nifti-types.ts';
import type { OpenScan, ScanReadOptions } from '../volume/scan-types.ts';
import type { Shape3 } from '../volume/volume.ts';
import { namesSlices, sliceNames } from './encodings/slice-files.ts';
import { affineFromLps, openRawVoxels, type RawVoxels } from './raw-voxels.ts';
import type { ScanFiles } from './scan-files.ts';
import { HeaderFields, readTextHeader, startsWithText } from './text-header.ts';

// MetaImage (https://itk.org/Wiki/ITK/MetaIO/Documentation): lines "Key = value", the last of which is ElementDataFile; then
// the voxels, or they are in the file that it names. Space is LPS; the first axis is the fastest.

const types: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  ['MET_CHAR', 'int8'],
  ['MET_UCHAR', 'uint8'],
  ['MET_SHORT', 'int16'],
  ['MET_USHORT', 'uint16'],
  ['MET_INT', 'int32'],
  ['MET_UINT', 'uint32'],
  // Four bytes, also where a machine's long has eight.
  ['MET_LONG', 'int32'],
  ['MET_ULONG', 'uint32'],
  ['MET_LONG_LONG', 'int64'],
  ['MET_ULONG_LONG', 'uint64'],
  ['MET_FLOAT', 'float32'],
  ['MET_DOUBLE', 'float64'],
]);

/** What would change the values, which few programs heed. */
const scalings = [
  ['ElementToIntensityFunctionSlope', '1'],
  ['ElementToIntensityFunctionOffset', '0'],
] as const;

/** Whether a file of this name and these first bytes is a MetaImage, sound or not. */
export function looksLikeMetaImage(file: string, start: Uint8Array): boolean {
  return /\.(mha|mhd)$/i.test(file) || startsWithText(start, /^\s*(ObjectType|NDims)\s*=/);
}

/**
 * Opens a MetaImage, `.mha` or `.mhd`: three dimensions, plain, zlib or text, in one file or a file for each slice. Throws ImagingError
 * for everything else.
 */
export async function openMetaImage(
  files: ScanFiles,
  file: string,
  options: ScanReadOptions = {},
): Promise<OpenScan> {
  // Behind a list the names of files follow.
  const isLast = (line: string) => /^\s*ElementDataFile\s*=(?!\s*LIST\b)/.test(line);
  const { lines, bytes } = await readTextHeader(files, file, isLast, 'a line "ElementDataFile = ..."');
  const fields = new HeaderFields(file, parseLines(lines));
  const dimension = fields.need('NDims');
  if (dimension !== '3') fields.fail('NDims', '3', dimension, 'Export the scan as one 3-D volume.');
  const channels = fields.get('ElementNumberOfChannels') ?? '1';
  if (channels !== '1') fields.fail('ElementNumberOfChannels', '1', channels);
  for (const [name, plain] of scalings) {
    const [value] = fields.numbers(name, fields.get(name) ?? plain, 1);
    if (value !== Number(plain))
      fields.fail(name, plain, `${value}`, 'Save the scan again with its values scaled.');
  }
  const typeName = fields.need('ElementType');
  const type = types.get(typeName) ?? fields.fail('ElementType', 'an integer or float type', typeName);
  const [width, height, depth] = fields.sizes('DimSize', fields.need('DimSize'), 3);
  const shape: Shape3 = [depth, height, width];
  const { data, detached } = dataFile(files, fields, file, lines, depth);
  const raw: RawVoxels = {
    ...{ file, format: 'MetaImage', shape, data },
    ...affineOf(fields),
    encoding: {
      type,
      littleEndian: isText(fields) || !isTrue(fields, 'BinaryDataByteOrderMSB', 'ElementByteOrderMSB'),
      slope: 1,
      intercept: 0,
    },
    ...placeOf(fields, type, detached ? 0 : bytes),
  };
  return openRawVoxels(files, raw, options);
}

function parseLines(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const at = line.indexOf('=');
    if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
    // Names of files may follow.
    if (fields.has('ElementDataFile')) break;
  }
  return fields;
}

function isTrue(fields: HeaderFields, ...names: readonly string[]): boolean {
  const text = fields.get(...names) ?? 'False';
  if (/^(true|t|1|yes|y)$/i.test(text)) return true;
  if (/^(false|f|0|no|n)$/i.test(text)) return false;
  return fields.fail(names[0], 'True or False', text);
}

function dataFile(
  files: ScanFiles,
  fields: HeaderFields,
  file: string,
  lines: readonly string[],
  depth: number,
): { data: string | readonly string[]; detached: boolean } {
  const name = fields.need('ElementDataFile');
  if (/^local$/i.test(name)) return { data: file, detached: false };
  if (name === '') fields.fail('ElementDataFile', 'LOCAL or the name of a file', name);
  const named = (one: string): string => files.named(file, 'ElementDataFile', one);
  if (!namesSlices(name)) return { data: named(name), detached: true };
  const at = lines.findIndex((line) => /^\s*ElementDataFile\s*=/.test(line));
  const names = sliceNames(fields, 'ElementDataFile', name, lines.slice(at + 1), depth);
  return { data: names.map(named), detached: true };
}

/** Whether voxels are numbers as text. */
const isText = (fields: HeaderFields): boolean =>
  fields.get('BinaryData') !== undefined && !isTrue(fields, 'BinaryData');

/** Where and how packed the voxels are. */
function placeOf(
  fields: HeaderFields,
  type: ElementType,
  start: number,
): Pick<RawVoxels, 'range' | 'skip' | 'atEnd'> {
  const packed = isTrue(fields, 'CompressedData');
  const text = fields.get('HeaderSize') ?? '0';
  const [size] = fields.numbers('HeaderSize', text, 1);
  if (!Number.isSafeInteger(size) || size < -1) fields.fail('HeaderSize', 'a number of bytes, or -1', text);
  if (size === -1 && packed) fields.fail('HeaderSize', '0 or more beside CompressedData', text);
  const plain = isText(fields) ? ({ numbers: type } as const) : 'none';
  if (isText(fields) && (packed || size === -1))
    fields.fail('BinaryData', 'True beside CompressedData or a HeaderSize of -1', 'False');
  return {
    range: { start: start + Math.max(0, size), packing: packed ? 'zlib' : plain },
    atEnd: size === -1,
  };
}

/** Row n of TransformMatrix is the direction of index axis n, in LPS. */
function affineOf(fields: HeaderFields): { affine: Affine; oriented: boolean } {
  const spacingText = fields.get('ElementSpacing', 'ElementSize') ?? '1 1 1';
  const unit = unitOf(fields);
  const spacing = fields.numbers('ElementSpacing', spacingText, 3).map((length) => length * unit);
  if (!spacing.every((mm) => mm > 0)) fields.fail('ElementSpacing', 'positive numbers', spacingText);
  const matrixText = fields.get('TransformMatrix', 'Orientation', 'Rotation');
  const matrix = fields.numbers('TransformMatrix', matrixText ?? '1 0 0 0 1 0 0 0 1', 9);
  const originText = fields.get('Offset', 'Origin', 'Position') ?? '0 0 0';
  const origin = fields.numbers('Offset', originText, 3).map((length) => length * unit);
  const columns = [0, 1, 2].map((axis) => matrix.slice(3 * axis, 3 * axis + 3).map((c) => c * spacing[axis]));
  const affine = affineFromLps(columns, origin);
  if (!isUsableAffine(affine)) {
    fields.fail('TransformMatrix', 'three axes that span space', matrixText ?? '');
  }
  return { affine, oriented: matrixText !== undefined };
}

/** Fields that may name a unit of lengths; the units of values are others. */
const lengthUnit =
  /^(distance|length|space|offset|origin|position|(element|voxel|pixel)?(spacing|size))?_?units?$/i;

/** mm of the unit of all lengths: lengths are in mm unless a field such as DistanceUnits says otherwise. */
function unitOf(fields: HeaderFields): number {
  const found = fields.names().filter((name) => lengthUnit.test(name));
  const units = found.map((name) => {
    const hint = 'Write the file again with lengths in mm.';
    const words = fields
      .need(name)
      .split(/[\s,"]+/)
      .filter((word) => word !== '');
    const values = words.map(
      (word) => unitInMm(word) ?? fields.fail(name, 'a unit of length such as mm, um, cm or m', word, hint),
    );
    const [first = 1] = values;
    return values.every((value) => value === first)
      ? first
      : fields.fail(name, 'one unit for all axes', fields.need(name), hint);
  });
  const [first = 1] = units;
  const odd = units.findIndex((unit) => unit !== first);
  if (odd >= 0)
    fields.fail(found[odd], `the unit of ${found[0]}: ${fields.need(found[0])}`, fields.need(found[odd]));
  return first;
}
