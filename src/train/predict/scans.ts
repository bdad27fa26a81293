import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { decodeText, fail } from '../../core/index.ts';
import { inNaturalOrder, isSamePath, openFile, pathFrom } from '../../files/index.ts';
import {
  type ChannelFile,
  endsAs,
  isPictureName,
  type LabelFormat,
  labelEndings,
  labelFormatOf,
  labelFormats,
} from '../../imaging/index.ts';

/** A scan to segment and where its labels go. */
export interface ScanToSegment {
  /** A file, or the folder of a DICOM series; of several channels the first one's file. */
  readonly input: string;
  readonly channels?: readonly ChannelFile[];
  /** The file to write. */
  readonly output: string;
  readonly format: LabelFormat;
}

/** A scan without its output. */
export type UnplacedScan = Omit<ScanToSegment, 'output' | 'format'>;

/** Endings of files that are no slices of a DICOM series; some are those of pictures. */
const FOREIGN = /\.(png|jpe?g|tiff?|bmp|gif|npy|npz|txt|md|json|csv|tsv|xml|pdf|zip|h5|mat|py|img)$/i;
const ENDING = /\.(nii|nii\.gz|hdr|nrrd|nhdr|mha|mhd)$/i;
/** What names of scans end with, those of slices and of folders with them too. */
const NAMED =
  /\.(nii|nii\.gz|hdr|hdr\.gz|img|img\.gz|nrrd|nhdr|mha|mhd|dcm|dicom|zarr|png|jpe?g|(ome\.)?tiff?|btf|svs)$/i;

export const isFolder = async (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * The scans that an input stands for: itself, or, where it is a folder with scans or with pictures, all of them in natural order. A folder without
 * is a DICOM series, or holds one in each of its folders. Undefined for a single scan.
 */
export async function scansIn(input: string): Promise<readonly string[] | undefined> {
  if (!(await isFolder(input))) return undefined;
  const entries = (await readdir(input, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  const files = entries.filter((entry) => !entry.isDirectory() && ENDING.test(entry.name));
  const folders = entries.filter((entry) => entry.isDirectory());
  const others = entries.filter((entry) => !entry.isDirectory());
  const pictures = others.filter(({ name }) => isPictureName(name));
  // Pictures beside slices of a series are drawn from it.
  const isFlat = pictures.length > 0 && others.every(({ name }) => FOREIGN.test(name) || isPictureName(name));
  const chosen =
    files.length > 0 ? files : isFlat ? pictures : entries.length === folders.length ? folders : [];
  if (chosen.length === 0) return undefined;
  return chosen.map(({ name }) => path.join(input, name)).sort(inNaturalOrder);
}

/** The name of a scan without folder, ending, and the channel number of nnU-Net. */
export function scanName(input: string): string {
  return path
    .basename(path.resolve(input))
    .replace(NAMED, '')
    .replace(/_0000$/, '');
}

/** Where each scan's labels go: NAME.nii.gz in a folder, of a picture NAME.tif, or with the ending of another format. Raises scans that would have the same name. */
export function namedIn(
  folder: string,
  scans: readonly UnplacedScan[],
  asked?: LabelFormat,
): ScanToSegment[] {
  const taken = new Map<string, string>();
  return scans.map((scan) => {
    const { input } = scan;
    const format = asked ?? (isPictureName(input) ? 'tiff' : 'nifti');
    const output = path.join(folder, `${scanName(input)}${labelEndings[format]}`);
    const other = taken.get(output);
    if (other !== undefined)
      fail({ where: input, problem: 'would be written to the same file', found: `${other} -> ${output}` });
    taken.set(output, input);
    return { ...scan, output, format };
  });
}

/**
 * Where a single scan's labels go: a file, whose name says its format where none is given, or NAME in a folder that is there. Raises what
 * cannot be written.
 */
export async function outputFor(
  scan: UnplacedScan,
  output: string,
  format?: LabelFormat,
): Promise<ScanToSegment> {
  if (/[\\/]$/.test(output) || (await isFolder(output))) return namedIn(output, [scan], format)[0];
  const named = labelFormatOf(output);
  if (named === undefined)
    fail({
      where: output,
      problem: 'name of the output',
      expected: `a name that ends in .nii or ${[...new Set(Object.values(labelEndings))].join(', ')}, or a folder that is there`,
      found: path.basename(output),
      hint: ENDING.test(output)
        ? `Segmentations are written as one file: ${path.basename(output).replace(ENDING, '')}.nii.gz`
        : `For a new folder give ${output}/`,
    });
  if (format !== undefined && !endsAs(output, format))
    fail({
      where: output,
      problem: `name of an output of the format ${format}`,
      expected: `a name that ends in ${labelEndings[format]}`,
      found: path.basename(output),
      hint: `The formats are ${labelFormats.join(', ')}`,
    });
  return { ...scan, output, format: format ?? named };
}

/** Where the labels of a folder's scans go. Raises a name that is one of a file. */
export async function outputsFor(
  folder: string,
  scans: readonly UnplacedScan[],
  output: string,
  format?: LabelFormat,
): Promise<readonly ScanToSegment[]> {
  const problem = 'a folder of scans needs a folder for its segmentations';
  const there = await stat(output).catch(() => undefined);
  if (there !== undefined && !there.isDirectory())
    fail({
      where: output,
      problem,
      expected: 'a folder',
      found: 'a file',
      hint: 'Give the name of a folder',
    });
  if (there === undefined && ENDING.test(output))
    fail({
      where: output,
      problem,
      expected: 'a folder',
      found: 'the name of a file',
      hint: `Give the name of a folder, such as ${path.basename(output).replace(ENDING, '')}`,
    });
  if (isSamePath(folder, output))
    fail({
      where: output,
      problem: 'the output is the folder of the scans',
      hint: 'Write to another folder: halomesh never writes over what it reads, and would take segmentations for scans next time',
    });
  return namedIn(output, scans, format);
}

/** Raises an input that is not there, or a folder that holds nothing that could be a scan. */
export async function checkInput(input: string): Promise<void> {
  if ((await stat(input).catch(() => undefined)) === undefined)
    fail({ where: input, problem: 'there is no such file or folder', hint: 'Check the path of the input' });
  if (!(await isFolder(input))) return;
  const entries = (await readdir(input, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  // The reader says what is wrong with such a store.
  if (entries.some(({ name }) => name === 'zarr.json')) return;
  const foreign = entries.filter(
    (entry) => !entry.isDirectory() && FOREIGN.test(entry.name) && !isPictureName(entry.name),
  );
  if (foreign.length < entries.length) return;
  const endings = [...new Set(foreign.map(({ name }) => path.extname(name).toLowerCase()))].sort();
  fail({
    where: input,
    problem: 'no scans were found in this folder',
    expected:
      'files .nii, .nii.gz, .hdr/.img, .nrrd, .nhdr, .mha, .mhd, .png, .jpg, .tif, .svs, or a DICOM series',
    found: entries.length === 0 ? 'nothing' : `${entries.length} files ${endings.join(', ')}`,
  });
}

/** The files that the channels of a scan are read from. */
export async function filesOfScan({ input, channels }: ScanToSegment): Promise<readonly string[]> {
  const files = new Set(channels?.map(({ file }) => file) ?? [input]);
  return (await Promise.all([...files].map(filesOfChannel))).flat();
}

/** The files that a channel is read from: its own, and those that its header names. A DICOM folder stands for all in it. */
async function filesOfChannel(input: string): Promise<readonly string[]> {
  if (/\.(hdr|img)$/i.test(input))
    return ['.hdr', '.img', '.HDR', '.IMG'].map((ending) => `${input.slice(0, -4)}${ending}`);
  if (!/\.(nhdr|mhd|nrrd|mha)$/i.test(input) || (await isFolder(input))) return [input];
  const start = await firstBytes(input);
  const named = start.matchAll(/^(?:data ?file|ElementDataFile)\s*[:=]\s*(\S.*?)\s*$/gim);
  return [input, ...[...named].map(([, name]) => pathFrom(path.dirname(input), name))];
}

/** The beginning of a file as text; empty where it cannot be read, which whoever reads the scan says. */
async function firstBytes(file: string): Promise<string> {
  try {
    const handle = await openFile(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(1 << 16), 0, 1 << 16, 0);
      return decodeText(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch {
    return '';
  }
}
