import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readError } from './byte-reader.ts';
import { type DicomFile, readDicomFile, textOf } from './dicom-file.ts';
import { readSlices, valueType } from './dicom-pixels.ts';
import { sliceOf } from './dicom-slice.ts';
import { stackSlices } from './dicom-stack.ts';
import { ImagingError } from './errors.ts';
import { elementBytes } from './nifti-types.ts';
import { defaultMaxBytes, type OpenScan, type ScanReadOptions } from './scan-types.ts';
import { voxelCount } from './volume.ts';

/** Modalities (0008,0060) that are no images of slices, though some have pixels. */
const notScans = new Set(['RTSTRUCT', 'RTPLAN', 'RTDOSE', 'RTRECORD', 'SEG', 'SR', 'PR', 'KO', 'REG', 'DOC']);

/** Headers read at the same time. */
const together = 16;

/**
 * Opens the one series of slices in a folder (not in its subfolders), or the one named by its SeriesInstanceUID. Structure
 * sets, reports, localizers and files of other kinds are passed over. Slices are put in order by their positions.
 * Throws ImagingError where the folder holds no series or several, or where slices do not form one even stack.
 */
export async function openDicomSeries(dir: string, options: ScanReadOptions = {}): Promise<OpenScan> {
  const files = chooseSeries(dir, await readFolder(dir), options.series);
  const slices = files.map(sliceOf);
  const { ordered, shape, affine } = stackSlices(dir, slices);
  const type = valueType(ordered);
  const bytes = voxelCount(shape) * elementBytes(type);
  if (bytes > (options.maxBytes ?? defaultMaxBytes)) {
    const expected = `at most ${options.maxBytes ?? defaultMaxBytes} bytes of voxels`;
    throw new ImagingError({ file: dir, field: 'slices', expected, found: `${bytes} bytes` });
  }
  return {
    header: { file: dir, format: 'DICOM', shape, affine, type, slope: 1, intercept: 0, oriented: true },
    read: (slab, _checkFinite, take) => readSlices(ordered, slab, take),
    close: async () => {},
  };
}

/** All files of DICOM in a folder. */
async function readFolder(dir: string): Promise<DicomFile[]> {
  const names = await listFolder(dir);
  const found: DicomFile[] = [];
  for (let n = 0; n < names.length; n += together) {
    const some = names.slice(n, n + together).map((name) => readDicomFile(path.join(dir, name)));
    for (const file of await Promise.all(some)) if (file !== undefined) found.push(file);
  }
  return found;
}

async function listFolder(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.name.startsWith('.'))
      .filter(
        (entry) => entry.isFile() || (entry.isSymbolicLink() && leadsToFile(path.join(dir, entry.name))),
      )
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw readError(dir, error);
  }
}

/** A link to nothing counts as a file, so that reading it says what is wrong. */
function leadsToFile(link: string): boolean {
  return statSync(link, { throwIfNoEntry: false })?.isFile() ?? true;
}

/** The table of contents of a disc (Media Storage Directory). */
const directoryClass = '1.2.840.10008.1.3.10';

/** Whether a file is, or was before it was cut short, an image of a series of slices. */
function isImage({ data }: DicomFile): boolean {
  if (textOf(data, 'x00020002') === directoryClass) return false;
  if (notScans.has(textOf(data, 'x00080060'))) return false;
  return !/LOCALIZER/i.test(textOf(data, 'x00080008', 2));
}

function chooseSeries(dir: string, files: readonly DicomFile[], wanted: string | undefined): DicomFile[] {
  const images = files.filter(isImage);
  if (images.length === 0) {
    const hint =
      'Structure sets, reports and localizers are no scans. Files in subfolders are not looked at.';
    const found = `none among ${files.length} ${files.length === 1 ? 'file' : 'files'} of DICOM`;
    throw new ImagingError({ file: dir, field: 'series', expected: 'a series of slices', found, hint });
  }
  const chosen = chooseImages(dir, images, wanted);
  for (const file of chosen) {
    if (file.hasPixels) continue;
    const hint = 'The file is cut short: copy it again, or take it out of the folder.';
    throw new ImagingError({ file: file.file, field: 'Pixel Data', expected: 'pixels', found: 'none', hint });
  }
  return chosen;
}

function chooseImages(dir: string, files: readonly DicomFile[], wanted: string | undefined): DicomFile[] {
  const series = new Map<string, DicomFile[]>();
  for (const file of files) {
    const uid = textOf(file.data, 'x0020000e');
    if (uid === '') {
      const hint = 'The file is damaged: copy it again, or take it out of the folder.';
      const field = 'Series Instance UID';
      throw new ImagingError({ file: file.file, field, expected: 'a UID', found: 'nothing', hint });
    }
    const list = series.get(uid);
    if (list === undefined) series.set(uid, [file]);
    else list.push(file);
  }
  const inWords = (all: Iterable<[string, DicomFile[]]> = series) =>
    [...all].map(([uid, list]) => describe(uid, list)).join('; ');
  if (wanted !== undefined) {
    const chosen = series.get(wanted);
    if (chosen !== undefined) return chosen;
    throw new ImagingError({ file: dir, field: 'series', expected: wanted, found: inWords() });
  }
  // Single pictures, such as screen captures, have no place in the patient.
  const placed = [...series].filter(([, list]) => list.some(isPlaced));
  const candidates = placed.length > 0 ? placed : [...series];
  if (candidates.length === 1) return candidates[0][1];
  const hint = 'Name one by its UID (--series of predict), or put each series in a folder of its own.';
  throw new ImagingError({
    file: dir,
    field: 'series',
    expected: 'one',
    found: `${candidates.length}: ${inWords(candidates)}`,
    hint,
  });
}

const isPlaced = ({ data }: DicomFile): boolean =>
  data.elements.x00200032 !== undefined && data.elements.x00200037 !== undefined;

function describe(uid: string, files: readonly DicomFile[]): string {
  const { data } = files[0];
  const words = [textOf(data, 'x00080060'), textOf(data, 'x0008103e')].filter((word) => word !== '');
  return `${uid} (${[...words, `${files.length} ${files.length === 1 ? 'file' : 'files'}`].join(', ')})`;
}
