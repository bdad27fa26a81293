import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../core/index.ts';

/** A scan to segment and where its labels go. */
export interface ScanToSegment {
  /** A file, or the folder of a DICOM series. */
  readonly input: string;
  /** NIfTI file to write. */
  readonly output: string;
}

const ENDING = /\.(nii|nii\.gz|hdr|nrrd|nhdr|mha|mhd)$/i;
const NIFTI = /\.nii(\.gz)?$/i;

const isFolder = async (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * The scans that an input stands for: itself, or, where it is a folder with scans, all of them in natural order. A folder without
 * is a DICOM series, or holds one in each of its folders. Undefined for a single scan.
 */
export async function scansIn(input: string): Promise<readonly string[] | undefined> {
  if (!(await isFolder(input))) return undefined;
  const entries = (await readdir(input, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  const files = entries.filter((entry) => !entry.isDirectory() && ENDING.test(entry.name));
  const folders = entries.filter((entry) => entry.isDirectory());
  const chosen = files.length > 0 ? files : entries.length === folders.length ? folders : [];
  if (chosen.length === 0) return undefined;
  const natural = new Intl.Collator('en', { numeric: true });
  return chosen.map(({ name }) => path.join(input, name)).sort(natural.compare);
}

/** The name of a scan without folder, ending, and the channel number of nnU-Net. */
export function scanName(input: string): string {
  return path
    .basename(path.resolve(input))
    .replace(ENDING, '')
    .replace(/_0000$/, '');
}

/** Where each scan's labels go: NAME.nii.gz in a folder. Raises scans that would have the same name. */
export function namedIn(folder: string, inputs: readonly string[]): ScanToSegment[] {
  const taken = new Map<string, string>();
  return inputs.map((input) => {
    const output = path.join(folder, `${scanName(input)}.nii.gz`);
    const other = taken.get(output);
    if (other !== undefined)
      fail({ where: input, problem: 'would be written to the same file', found: `${other} -> ${output}` });
    taken.set(output, input);
    return { input, output };
  });
}

/** Where a single scan's labels go: a NIfTI file, or NAME.nii.gz in a folder that is there. Raises what cannot be written. */
export async function outputFor(input: string, output: string): Promise<ScanToSegment> {
  if (await isFolder(output)) return namedIn(output, [input])[0];
  if (!NIFTI.test(output))
    fail({
      where: output,
      problem: 'name of the output',
      expected: 'a name that ends in .nii or .nii.gz, or a folder that is there',
      found: path.basename(output),
    });
  if (!(await isFolder(path.dirname(path.resolve(output)))))
    fail({ where: output, problem: 'its folder is not there', hint: 'Make the folder first' });
  return { input, output };
}

/** Raises that a file is a further channel of a scan. */
export function checkChannel(input: string): void {
  if (!/_000[1-9](\.[a-z.]+)?$/i.test(path.basename(input))) return;
  fail({
    where: input,
    problem: 'is a further channel of a scan',
    expected: '_0000',
    hint: 'Only images of one channel (CT) are supported',
  });
}
