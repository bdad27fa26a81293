import type { ElementType } from '../volume/nifti-types.ts';
import type { OpenScan, ScanReadOptions } from '../volume/scan-types.ts';
import type { Shape3 } from '../volume/volume.ts';
import { namesSlices, sliceNames } from './encodings/slice-files.ts';
import { affineOfNrrd, withoutListAxis } from './nrrd-space.ts';
import { openRawVoxels, type RawVoxels } from './raw-voxels.ts';
import type { ScanFiles } from './scan-files.ts';
import { HeaderFields, readTextHeader } from './text-header.ts';

// NRRD as its definition says (http://teem.sourceforge.net/nrrd/format.html): lines "field: value" up to an empty line, then
// the voxels, or a `data file`. The first axis is the fastest.

/** Names of element types; NRRD has several for each. */
const types: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  ['signed char', 'int8'],
  ['int8', 'int8'],
  ['int8_t', 'int8'],
  ['uchar', 'uint8'],
  ['unsigned char', 'uint8'],
  ['uint8', 'uint8'],
  ['uint8_t', 'uint8'],
  ['short', 'int16'],
  ['short int', 'int16'],
  ['signed short', 'int16'],
  ['signed short int', 'int16'],
  ['int16', 'int16'],
  ['int16_t', 'int16'],
  ['ushort', 'uint16'],
  ['unsigned short', 'uint16'],
  ['unsigned short int', 'uint16'],
  ['uint16', 'uint16'],
  ['uint16_t', 'uint16'],
  ['int', 'int32'],
  ['signed int', 'int32'],
  ['int32', 'int32'],
  ['int32_t', 'int32'],
  ['uint', 'uint32'],
  ['unsigned int', 'uint32'],
  ['uint32', 'uint32'],
  ['uint32_t', 'uint32'],
  ['longlong', 'int64'],
  ['long long', 'int64'],
  ['long long int', 'int64'],
  ['signed long long', 'int64'],
  ['signed long long int', 'int64'],
  ['int64', 'int64'],
  ['int64_t', 'int64'],
  ['ulonglong', 'uint64'],
  ['unsigned long long', 'uint64'],
  ['unsigned long long int', 'uint64'],
  ['uint64', 'uint64'],
  ['uint64_t', 'uint64'],
  ['float', 'float32'],
  ['double', 'float64'],
]);

/**
 * Opens an NRRD file, `.nrrd` or `.nhdr`: three dimensions, or four of which one is a list of a single element; of any encoding, in
 * one file or a file for each slice. Throws ImagingError for everything else.
 */
export async function openNrrd(
  files: ScanFiles,
  file: string,
  options: ScanReadOptions = {},
): Promise<OpenScan> {
  const { lines, bytes } = await readTextHeader(
    files,
    file,
    (line) => line === '',
    'an empty line at its end',
  );
  const fields = withoutListAxis(new HeaderFields(file, parseLines(lines)));
  const typeName = fields.need('type').toLowerCase();
  const type =
    types.get(typeName) ?? fields.fail('type', 'an integer or float type of 8 to 64 bits', typeName);
  const [width, height, depth] = fields.sizes('sizes', fields.need('sizes'), 3);
  const shape: Shape3 = [depth, height, width];
  const { data, detached } = dataFile(files, fields, file, lines, depth);
  const raw: RawVoxels = {
    ...{ file, format: 'NRRD', shape, data },
    ...affineOfNrrd(fields),
    encoding: { type, littleEndian: isLittle(fields, type), slope: 1, intercept: 0 },
    ...placeOf(fields, type, detached ? 0 : bytes),
  };
  return openRawVoxels(files, raw, options);
}

function parseLines(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    // "key:=value" lines are free notes.
    const match = /^([^:#]+): ?(.*)$/.exec(line);
    if (match === null || match[2].startsWith('=')) continue;
    const name = match[1].trim().toLowerCase();
    fields.set(name === 'datafile' ? 'data file' : name, match[2].trim());
    // Names of files follow.
    if (/^LIST\b/.test(fields.get('data file') ?? '')) break;
  }
  return fields;
}

function dataFile(
  files: ScanFiles,
  fields: HeaderFields,
  file: string,
  lines: readonly string[],
  depth: number,
): { data: string | readonly string[]; detached: boolean } {
  const name = fields.get('data file');
  if (name === undefined) {
    if (!/\.nhdr$/i.test(file)) return { data: file, detached: false };
    return fields.fail('data file', 'the name of the file with the voxels', 'nothing');
  }
  const named = (one: string): string => files.named(file, 'data file', one);
  if (!namesSlices(name)) return { data: named(name), detached: true };
  const at = lines.findIndex((line) => /^data ?file:/i.test(line));
  return {
    data: sliceNames(fields, 'data file', name, lines.slice(at + 1), depth).map(named),
    detached: true,
  };
}

/** Encodings by their names. */
const encodings: ReadonlyMap<string, 'none' | 'zlib' | 'bzip2' | 'hex' | 'text'> = new Map([
  ['raw', 'none'],
  ['gzip', 'zlib'],
  ['gz', 'zlib'],
  ['bzip2', 'bzip2'],
  ['bz2', 'bzip2'],
  ['hex', 'hex'],
  ['txt', 'text'],
  ['text', 'text'],
  ['ascii', 'text'],
]);

/** Where and how packed the voxels are. */
function placeOf(
  fields: HeaderFields,
  type: ElementType,
  start: number,
): Pick<RawVoxels, 'range' | 'skip' | 'atEnd'> {
  const encoding = fields.need('encoding').toLowerCase();
  const packing =
    encodings.get(encoding) ??
    fields.fail(
      'encoding',
      'raw, gzip, bzip2, hex or ascii',
      encoding,
      'Save the scan again with one of these.',
    );
  const whole = (name: string): number => {
    const text = fields.get(name, name.replace(' ', '')) ?? '0';
    const [value] = fields.numbers(name, text, 1);
    return Number.isSafeInteger(value) && value >= (name === 'byte skip' ? -1 : 0)
      ? value
      : fields.fail(name, 'a number of bytes or lines', text);
  };
  if (whole('line skip') > 0) fields.fail('line skip', '0', `${whole('line skip')}`);
  const skip = whole('byte skip');
  if (skip === -1 && packing !== 'none') fields.fail('byte skip', `0 or more beside ${encoding}`, '-1');
  if (skip > 0 && packing === 'text') fields.fail('byte skip', '0 beside numbers as text', `${skip}`);
  const range = { start, packing: packing === 'text' ? { numbers: type } : packing };
  return { range, skip: Math.max(0, skip), atEnd: skip === -1 };
}

/** Whether voxels are numbers as text. */
const isText = (fields: HeaderFields): boolean =>
  encodings.get(fields.get('encoding')?.toLowerCase() ?? '') === 'text';

function isLittle(fields: HeaderFields, type: ElementType): boolean {
  if (type === 'int8' || type === 'uint8' || isText(fields)) return true;
  const endian = fields.need('endian').toLowerCase();
  if (endian !== 'little' && endian !== 'big') fields.fail('endian', 'little or big', endian);
  return endian === 'little';
}
