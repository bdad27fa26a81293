import { mapSome, shownValue } from '../../../core/index.ts';
import { ImagingError } from '../../volume/errors.ts';
import { elementBytes } from '../../volume/nifti-types.ts';
import { defaultMaxBytes, type OpenScan, type ScanReadOptions } from '../../volume/scan-types.ts';
import { voxelCount } from '../../volume/volume.ts';
import type { ScanFolders } from '../scan-files.ts';
import { checkConcatenations, isEnhanced, slicesOf } from './dicom-enhanced.ts';
import { areFew, counted, withoutCopies, withoutScouts } from './dicom-extras.ts';
import {
  type DicomFile,
  isDirectory,
  isMarkedLocalizer,
  isNoImage,
  isSegmentation,
  isStructureSet,
  readDicomFile,
} from './dicom-file.ts';
import { readDicomFolder } from './dicom-folder.ts';
import { readSlices, valueType } from './dicom-pixels.ts';
import { type DicomStack, stackSlices } from './dicom-stack.ts';
import { ofOneVolume } from './dicom-volumes.ts';

/**
 * Opens the one series of slices in a folder, or the one named by its UID, number or description. Subfolders are looked into where the folder
 * is a disc with a DICOMDIR or holds no file of DICOM itself. Structure sets, reports and files of other kinds are passed over;
 * localizers and copies of slices too, which the header's notes say. Slices are put in order by their positions.
 * Throws ImagingError where the folder holds no series or several, or where slices do not form one even stack.
 */
export async function openDicomSeries(
  disk: ScanFolders,
  dir: string,
  options: ScanReadOptions = {},
): Promise<OpenScan> {
  const { files } = await readDicomFolder(disk, dir);
  if (options.labels) {
    const labels = files.filter(areLabels);
    const others = files.filter((file) => !isDirectory(file) && !isNoImage(file));
    if (labels.length === 1 && others.length === 0) return openLabels(disk, labels[0], options);
  }
  return openStack(await stackOf(dir, chooseSeries(dir, files, options.series), options), options);
}

/**
 * Opens the series that a file of DICOM belongs to, as far as it lies in the same folder; of the table of contents of a disc
 * (DICOMDIR) the series of its folder. Throws ImagingError as openDicomSeries does.
 */
export async function openDicomFile(
  disk: ScanFolders,
  file: string,
  options: ScanReadOptions = {},
): Promise<OpenScan> {
  if (options.labels) {
    const named = await readDicomFile(disk, file);
    if (named !== undefined && areLabels(named)) return openLabels(disk, named, options);
  }
  return openStack(await stackOfFile(disk, file, options), options);
}

const areLabels = (file: DicomFile): boolean => isSegmentation(file) || isStructureSet(file);

/** Loads the reader of segmentations, or of structure sets, with the first of them. */
const openLabels = async (
  disk: ScanFolders,
  source: DicomFile,
  options: ScanReadOptions,
): Promise<OpenScan> =>
  isSegmentation(source)
    ? (await import('./dicom-seg-read.ts')).openDicomSeg(disk, source.file, options)
    : (await import('./dicom-struct-read.ts')).openDicomStruct(disk, source.file, options);

/** A series in the order of its slices. */
export interface SeriesStack extends DicomStack {
  /** The folder or file that was asked for. */
  readonly where: string;
  /** The first file of the series. */
  readonly first: DicomFile;
  readonly notes: readonly string[];
}

/** The series that openDicomSeries opens, slice by slice. */
export async function stackOfFolder(
  disk: ScanFolders,
  dir: string,
  options: ScanReadOptions = {},
): Promise<SeriesStack> {
  const { files } = await readDicomFolder(disk, dir);
  return stackOf(dir, chooseSeries(dir, files, options.series), options);
}

/** The series that openDicomFile opens, slice by slice. */
export async function stackOfFile(
  disk: ScanFolders,
  file: string,
  options: ScanReadOptions = {},
): Promise<SeriesStack> {
  const named = await readDicomFile(disk, file);
  if (named === undefined)
    throw new ImagingError({ file, field: 'path', expected: 'a file of DICOM', found: 'something else' });
  const dir = disk.folderOf(file);
  if (isDirectory(named)) return stackOfFolder(disk, dir, options);
  if (isNoImage(named)) {
    const found = `a file of modality ${named.data.text('x00080060')}`;
    const hint = areLabels(named) ? 'It is read as the label map of an image.' : undefined;
    throw new ImagingError({ file, field: 'Modality', expected: 'an image', found, hint });
  }
  const series = options.series ?? named.data.text('x0020000e');
  const { files } = await readDicomFolder(disk, dir);
  const chosen = chooseSeries(file, files, series);
  const others = chosen.files.length - 1;
  const alone = isEnhanced(named)
    ? []
    : ['read as one slice: no other file of its series lies in this folder'];
  const beside = `read with the other ${others === 1 ? 'file' : `${others} files`} of its series in the same folder`;
  return stackOf(file, { ...chosen, notes: [...(others > 0 ? [beside] : alone), ...chosen.notes] }, options);
}

/** The files of one series, and what was left out beside them. */
interface Chosen {
  readonly files: readonly DicomFile[];
  readonly notes: readonly string[];
}

async function stackOf(
  where: string,
  chosen: Chosen,
  { lean, volume }: ScanReadOptions,
): Promise<SeriesStack> {
  const measured = withoutUnmeasured(chosen.files);
  checkConcatenations(measured.files);
  const sifted = withoutScouts((await mapSome(measured.files, slicesOf)).flat());
  const single = await withoutCopies(await ofOneVolume(where, sifted.slices, volume));
  const notes = [...chosen.notes, ...measured.notes, ...sifted.notes, ...single.notes];
  return { ...stackSlices(where, single.slices, lean !== undefined), where, first: measured.files[0], notes };
}

function openStack(
  { where, ordered, shape, affine, notes }: SeriesStack,
  options: ScanReadOptions,
): OpenScan {
  const type = valueType(ordered);
  const bytes = voxelCount(shape) * elementBytes(type);
  if (bytes > (options.maxBytes ?? defaultMaxBytes)) {
    const expected = `at most ${options.maxBytes ?? defaultMaxBytes} bytes of voxels`;
    throw new ImagingError({ file: where, field: 'slices', expected, found: `${bytes} bytes` });
  }
  return {
    header: {
      ...{ file: where, format: 'DICOM', shape, affine, type, slope: 1, intercept: 0, oriented: true },
      ...(notes.length > 0 && { notes }),
    },
    read: (slab, checkFinite, take) => readSlices(ordered, slab, checkFinite, take),
    close: async () => {},
  };
}

/**
 * Leaves out scouts that do not tell their Pixel Spacing: few images in planes of another direction than all others. Where that is not
 * clear they are left, and refused.
 */
function withoutUnmeasured(files: readonly DicomFile[]): Chosen {
  const isMeasured = (file: DicomFile) => file.data.has(spacingTag) || isEnhanced(file);
  const scouts = files.filter((file) => !isMeasured(file));
  const scan = files.filter(isMeasured);
  if (scouts.length === 0 || !areFew(scouts.length, scan.length)) return { files, notes: [] };
  if (scouts.some((scout) => isTurnedLike(scout, scan[0]))) return { files, notes: [] };
  const found = `without Pixel Spacing and of another orientation than the other ${scan.length} left out as a scout`;
  return { files: scan, notes: [`${counted(scouts, 'image')} ${found}`] };
}

function chooseSeries(where: string, files: readonly DicomFile[], wanted: string | undefined): Chosen {
  const images = files.filter((file) => !isDirectory(file) && !isNoImage(file));
  const scans = images.filter((file) => !isMarkedLocalizer(file));
  if (scans.length === 0) {
    const hint =
      'Structure sets, reports and localizers are no scans. Subfolders are looked into only where a DICOMDIR lies beside them or no file of DICOM does.';
    const found = `none among ${files.length} ${files.length === 1 ? 'file' : 'files'} of DICOM`;
    throw new ImagingError({ file: where, field: 'series', expected: 'a series of slices', found, hint });
  }
  const chosen = chooseImages(where, scans, wanted);
  for (const file of chosen.files) {
    if (file.hasPixels) continue;
    const hint = 'The file is cut short: copy it again, or take it out of the folder.';
    throw new ImagingError({ file: file.file, field: 'Pixel Data', expected: 'pixels', found: 'none', hint });
  }
  const uid = chosen.files[0].data.text(seriesTag);
  const localizers = images.filter((file) => isMarkedLocalizer(file) && file.data.text(seriesTag) === uid);
  if (localizers.length === 0) return chosen;
  return { ...chosen, notes: [...chosen.notes, `${counted(localizers, 'localizer')} left out`] };
}

const seriesTag = 'x0020000e';

/** Series that a message lists. */
const mostNamed = 12;

function chooseImages(where: string, files: readonly DicomFile[], wanted: string | undefined): Chosen {
  const series = new Map<string, DicomFile[]>();
  for (const file of files) {
    const uid = file.data.text(seriesTag);
    if (uid === '') {
      const hint = 'The file is damaged: copy it again, or take it out of the folder.';
      const field = 'Series Instance UID';
      throw new ImagingError({ file: file.file, field, expected: 'a UID', found: 'nothing', hint });
    }
    const list = series.get(uid);
    if (list === undefined) series.set(uid, [file]);
    else list.push(file);
  }
  const inWords = (all: readonly NamedSeries[] = [...series]) => {
    const some = all.slice(0, mostNamed).map(([uid, list]) => describe(uid, list));
    return [...some, ...(all.length > mostNamed ? [`and ${all.length - mostNamed} more`] : [])].join('; ');
  };
  if (wanted !== undefined) {
    const meant = seriesNamed([...series], wanted);
    if (meant.length === 1) return { files: meant[0][1], notes: [] };
    const hint = 'Name one by its UID, its number, its description, or a part of that which no other has.';
    const several = `${meant.length} of this name: ${inWords(meant)}`;
    throw new ImagingError({
      file: where,
      field: 'series',
      expected: shownValue(wanted),
      found: meant.length === 0 ? inWords() : several,
      hint,
    });
  }
  // Single pictures, such as screen captures, have no place in the patient.
  const placed = [...series].filter(([, list]) => list.some(isPlaced));
  const candidates = placed.length > 0 ? placed : [...series];
  const [[, main], ...others] = candidates.toSorted(([, a], [, b]) => b.length - a.length);
  const scouts = others.flatMap(([, list]) => list);
  if (scouts.length === 0) return { files: main, notes: [] };
  if (areFew(scouts.length, main.length) && scouts.every((scout) => !isTurnedLike(scout, main[0])))
    return { files: main, notes: [`${counted(scouts, 'image')} of another series left out as a scout`] };
  const hint =
    'Name one by its UID, number or description (--series of predict), or put each series in a folder of its own.';
  throw new ImagingError({
    file: where,
    field: 'series',
    expected: 'one',
    found: `${candidates.length}: ${inWords(candidates)}`,
    hint,
  });
}

/** The files of a series, by its UID. */
type NamedSeries = readonly [uid: string, files: readonly DicomFile[]];

/** The series that a name stands for: a UID, else a number, else a description, else a part of one. */
function seriesNamed(series: readonly NamedSeries[], wanted: string): readonly NamedSeries[] {
  const name = wanted.trim().toLowerCase();
  if (name === '') return [];
  const words = series.map((one) => {
    const [uid, [{ data }]] = one;
    const [number, description] = [data.text('x00200011'), data.text('x0008103e').toLowerCase()];
    return { one, uid, number: number.replace(/^0+(?=\d)/, ''), description };
  });
  const meant = [
    words.filter(({ uid }) => uid === name),
    words.filter(({ number }) => number === name),
    words.filter(({ description }) => description === name),
    words.filter(({ description }) => description.includes(name)),
  ];
  return (meant.find((found) => found.length > 0) ?? []).map(({ one }) => one);
}

const positionTag = 'x00200032';
const orientationTag = 'x00200037';
const spacingTag = 'x00280030';

const isPlaced = (file: DicomFile): boolean =>
  isEnhanced(file) || (file.data.has(positionTag) && file.data.has(orientationTag));

/** Whether two images lie in planes of one direction, or may do so. */
function isTurnedLike(one: DicomFile, other: DicomFile): boolean {
  const cosines = ({ data }: DicomFile) =>
    [0, 1, 2, 3, 4, 5].map((n) => data.decimal(orientationTag, n) ?? Number.NaN);
  const normal = ([a, b, c, d, e, f]: readonly number[]) => [b * f - c * e, c * d - a * f, a * e - b * d];
  const [m, n] = [normal(cosines(one)), normal(cosines(other))];
  const cosine = Math.abs(m[0] * n[0] + m[1] * n[1] + m[2] * n[2]);
  return !(cosine < 0.9);
}

function describe(uid: string, files: readonly DicomFile[]): string {
  const { data } = files[0];
  const number = data.text('x00200011').slice(0, 12);
  const description = data.text('x0008103e').slice(0, 64);
  const words = [data.text('x00080060'), number && `number ${number}`, description].filter(
    (word) => word !== '',
  );
  const frames = files.reduce((sum, file) => sum + (file.data.decimal('x00280008') ?? 1), 0);
  const count = `${files.length} ${files.length === 1 ? 'file' : 'files'}${frames > files.length ? ` of ${frames} frames` : ''}`;
  return `${uid.slice(0, 64)} (${[...words, count].join(', ')})`;
}
