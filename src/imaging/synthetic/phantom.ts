import path from 'node:path';
import { RandomStream, randomKey } from '../../core/index.ts';
import { checkOutputs, makeFolder } from '../../files/index.ts';
import { writeDescription, writeNnunetDescription } from '../dataset/dataset-json.ts';
import { LABEL_LEVEL } from '../formats/byte-writer.ts';
import { createNiftiWriter, type NiftiWriter } from '../formats/nifti/nifti-write.ts';
import { scalingAffine } from '../volume/affine.ts';
import { ImagingError } from '../volume/errors.ts';
import { checkShape, type Grid, type Shape3 } from '../volume/volume.ts';
import { makeAnatomy, withLesions } from './phantom-anatomy.ts';
import { BRAIN_LABELS, BRAIN_REGIONS, BrainRenderer, headMm } from './phantom-brain.ts';
import { ContrastRenderer, contrastNames, mostContrasts } from './phantom-contrasts.ts';
import { datasetName, refuseOtherDataset } from './phantom-folder.ts';
import { type PhantomGrid, SliceRenderer } from './phantom-slice.ts';

/** A synthetic set. */
export interface PhantomOptions {
  /** The folder to write; made if it is missing. */
  readonly out: string;
  /** Voxels: N for a cube of N^3, or (depth, height, width). */
  readonly size: number | Shape3;
  /** How many patients; 4 by default. */
  readonly cases?: number;
  /** Voxel size in mm; by default such that the longest side of the volume is 384 mm, of heads 192 mm. */
  readonly spacing?: number | Shape3;
  /** The same seed gives the same files; 0 by default. */
  readonly seed?: number;
  /** `mr`: channels of magnetic resonance in place of CT, as an nnU-Net folder. `ct` by default. */
  readonly modality?: 'ct' | 'mr';
  /** Channels of `mr`, 1 to 4; 1 by default. */
  readonly channels?: number;
  /**
   * Heads in magnetic resonance with brain tumours in place of the abdomen, whose labels are regions that overlap: whole tumour, tumour
   * core, enhancing tumour. Off by default.
   */
  readonly regions?: boolean;
  /** Of heads: about a quarter of the slices is not labelled, and marked to be ignored. Off by default. */
  readonly ignore?: boolean;
  /**
   * Every second patient has no lesion, the others have many large ones, and dataset.json says the class of each: `healthy` or `tumour`. In
   * CT of the abdomen.
   */
  readonly healthy?: boolean;
  /** Whether a phantom that is there is replaced; it is refused by default. Another data set never is. */
  readonly overwrite?: boolean;
  readonly onProgress?: (progress: PhantomProgress) => void;
}

/** How far writePhantom is; called after each slice. */
export interface PhantomProgress {
  /** From 1. */
  readonly case: number;
  readonly cases: number;
  /** From 1. */
  readonly slice: number;
  readonly slices: number;
}

/** The field of view in mm that a whole patient takes. A smaller one squeezes the patient into it. */
const patientMm = 384;

/**
 * Writes synthetic scans, in CT in HU with labels (0 background, 1 liver, 2 tumour) as a Medical Segmentation
 * Decathlon folder. Each patient has a body with skin, fat, muscle and ribs, spine, lungs, heart, stomach,
 * spleen, kidneys, vessels, bowel, a liver with vessels and one to six lesions 30 to 60 HU darker than it,
 * and noise of 10 to 20 HU. In MR the same patients have a file for each channel (T1, T1ce, T2, FLAIR), in units that differ from scan
 * to scan, in the folders of nnU-Net. With regions these are heads with a tumour in place of abdomens. Slices are drawn and written one by one, so that any size takes little memory.
 * dataset.json appears last, when all cases are whole.
 * Returns the path of dataset.json. Throws ImagingError, also if another dataset is in the folder.
 */
export async function writePhantom(options: PhantomOptions): Promise<string> {
  const { out, seed = 0, cases = 4, overwrite, onProgress } = options;
  const grid = phantomGrid(options);
  const channelNames = channelsOf(options);
  if (!(Number.isInteger(cases) && cases > 0)) {
    throw new ImagingError({ field: 'cases', expected: 'a whole number above 0', found: `${cases}` });
  }
  const json = path.join(out, 'dataset.json');
  const ids = Array.from({ length: cases }, (_, n) => `phantom_${String(n).padStart(3, '0')}`);
  const entries = ids.map((id) => ({
    images: (channelNames ?? ['']).map(
      (_, n) => `./imagesTr/${id}${channelNames ? `_${String(n).padStart(4, '0')}` : ''}.nii.gz`,
    ),
    label: `./labelsTr/${id}.nii.gz`,
  }));
  const place = (file: string): string => path.join(out, file);
  await refuseOtherDataset(json);
  const files = entries.flatMap(({ images, label }) => [...images, label].map(place));
  checkOutputs({ reads: [], writes: [json, ...files], overwrite });
  makeFolder(path.join(out, 'imagesTr'));
  makeFolder(path.join(out, 'labelsTr'));
  for (const [n, { images, label }] of entries.entries()) {
    const drawn = drawingOf(options, grid, n);
    await writeCase({ images: images.map(place), label: place(label) }, grid, drawn, (slice) =>
      onProgress?.({ case: n + 1, cases, slice, slices: grid.shape[0] }),
    );
  }
  const seen = options.regions ? 'MR of heads' : `abdominal ${channelNames ? 'MR' : 'CT'}`;
  const told = {
    name: datasetName,
    description: `Synthetic ${seen}, seed ${seed}. No patient data.`,
    labelNames: ['background', 'liver', 'tumour'],
    ...(options.regions && {
      regions: BRAIN_REGIONS,
      ...(options.ignore && { ignore: BRAIN_LABELS.ignore }),
    }),
  };
  const training = entries.map(({ images, label }, n) => ({
    ...{ image: images[0], label },
    ...(options.healthy && { class: isHealthy(options, n) ? 'healthy' : 'tumour' }),
  }));
  if (channelNames)
    await writeNnunetDescription(json, { ...told, channelNames, cases, fileEnding: '.nii.gz' });
  else await writeDescription(json, { ...told, training });
  return json;
}

/** Lesions of a patient that is not healthy, where others are. */
const MANY_LESIONS = 10;

/** Whether a patient has no lesion. */
const isHealthy = ({ healthy }: PhantomOptions, index: number): boolean =>
  healthy === true && index % 2 === 1;

/** Names of the channels of MR; undefined for CT. */
function channelsOf(options: PhantomOptions): string[] | undefined {
  const { modality = 'ct', channels = 1, regions, ignore, healthy } = options;
  if (healthy && modality !== 'ct')
    throw new ImagingError({ field: 'healthy', expected: 'modality ct beside it', found: modality });
  if (regions && modality !== 'mr')
    throw new ImagingError({ field: 'regions', expected: 'modality mr beside them', found: modality });
  if (ignore && !regions)
    throw new ImagingError({ field: 'ignore', expected: 'regions beside it', found: 'none' });
  const most = modality === 'mr' ? mostContrasts : 1;
  if (Number.isInteger(channels) && channels >= 1 && channels <= most)
    return modality === 'mr' ? contrastNames(channels) : undefined;
  const expected = modality === 'mr' ? `a whole number from 1 to ${most}` : '1, as CT has';
  throw new ImagingError({ field: 'channels', expected, found: `${channels}` });
}

/** The field of view in mm that is drawn. */
const viewMm = ({ regions }: PhantomOptions): number => (regions ? headMm : patientMm);

function phantomGrid(options: PhantomOptions): Grid {
  const { size, spacing } = options;
  const shape: Shape3 = typeof size === 'number' ? [size, size, size] : size;
  checkShape(shape, 'size');
  const wanted = spacing ?? viewMm(options) / Math.max(...shape);
  const [dz, dy, dx] = typeof wanted === 'number' ? [wanted, wanted, wanted] : wanted;
  if (![dz, dy, dx].every((mm) => mm > 0 && Number.isFinite(mm))) {
    const found = `[${[dz, dy, dx].join(', ')}]`;
    throw new ImagingError({ field: 'spacing', expected: 'positive numbers of mm', found });
  }
  const origin = [
    (-dx * (shape[2] - 1)) / 2,
    (-dy * (shape[1] - 1)) / 2,
    (-dz * (shape[0] - 1)) / 2,
  ] as const;
  return { shape, affine: scalingAffine([dx, dy, dz], origin) };
}

/** Files of a case that are written. */
interface CaseFiles {
  /** One for each channel. */
  readonly images: readonly string[];
  readonly label: string;
}

/** Draws slice k: every channel, and the labels. */
type DrawSlice = (k: number, images: readonly Int16Array[], labels: Uint8Array) => void;

/** How a case of a set is drawn. */
function drawingOf(options: PhantomOptions, grid: Grid, index: number): DrawSlice {
  const { seed = 0, channels = 1, modality, regions, ignore = false } = options;
  const spacing = [grid.affine[10], grid.affine[5], grid.affine[0]];
  const view = viewMm(options);
  const [dz, dy, dx] = spacing.map((mm, axis) => mm * Math.max(1, view / (mm * grid.shape[axis])));
  const drawn: PhantomGrid = { shape: grid.shape, step: [dz, dy, dx] };
  if (regions) {
    const brain = new BrainRenderer(drawn, { seed, index, channels, ignore });
    return (k, images, labels) => brain.render(k, images, labels);
  }
  const patient = makeAnatomy(
    new RandomStream(seed, index, 1),
    randomKey(seed, index, 2),
    Math.max(dz, dy, dx),
  );
  const anatomy = options.healthy
    ? withLesions(patient, new RandomStream(seed, index, 5), isHealthy(options, index) ? 0 : MANY_LESIONS)
    : patient;
  const renderer = new SliceRenderer(anatomy, drawn, randomKey(seed, index, 3));
  if (modality !== 'mr') return (k, [hu], labels) => renderer.render(k, hu, labels);
  const contrasts = Array.from(
    { length: channels },
    (_, n) => new ContrastRenderer(anatomy, n, randomKey(seed, index, 4)),
  );
  return (k, images, labels) => renderer.renderContrasts(k, contrasts, images, labels);
}

async function writeCase(
  { images, label }: CaseFiles,
  grid: Grid,
  draw: DrawSlice,
  onSlice: (slice: number) => void,
): Promise<void> {
  const [depth, height, width] = grid.shape;
  const writers: NiftiWriter[] = [];
  try {
    for (const image of images)
      writers.push(await createNiftiWriter(image, grid, { type: 'int16', gzipLevel: 1 }));
    writers.push(await createNiftiWriter(label, grid, { type: 'uint8', gzipLevel: LABEL_LEVEL }));
    let written: Promise<unknown> = Promise.resolve();
    for (let k = 0; k < depth; k++) {
      const slices = images.map(() => new Int16Array(height * width));
      const labels = new Uint8Array(height * width);
      draw(k, slices, labels);
      // The last slice is compressed while this one is drawn.
      await written;
      written = Promise.all([...slices, labels].map((slice, n) => writers[n].writeSlice(slice)));
      written.catch(() => {}); // reported by the await above or below, or overtaken by another error
      onSlice(k + 1);
    }
    await written;
    for (const writer of writers) await writer.finish();
  } catch (error) {
    for (const writer of writers) await writer.abort();
    throw error;
  }
}
