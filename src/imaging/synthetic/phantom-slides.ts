import path from 'node:path';
import { checkOutputs, makeFolder } from '../../files/index.ts';
import { writeNnunetDescription } from '../dataset/dataset-json.ts';
import { createOutlineWriter, type OutlineWriter } from '../formats/picture/geojson-write.ts';
import { createTiffWriter, type TiffWriter } from '../formats/picture/tiff-write.ts';
import { ImagingError } from '../volume/errors.ts';
import { datasetName, refuseOtherDataset } from './phantom-folder.ts';
import { SlideRenderer } from './slide-renderer.ts';
import { SLIDE_COLOURS, SLIDE_LABELS } from './slide-zones.ts';

/** A set of synthetic slides. */
export interface SlidesOptions {
  /** The folder to write; made if it is missing. */
  readonly out: string;
  /** Pixels along each side. */
  readonly size: number;
  /** How many slides; 4 by default. */
  readonly cases?: number;
  /** Microns from pixel to pixel; 0.5 by default. */
  readonly mpp?: number;
  /** The part of a slide that tissue covers; 0.75 by default. */
  readonly tissue?: number;
  /** Every second slide has no tumour, and dataset.json says the class of each: `healthy` or `tumour`. */
  readonly healthy?: boolean;
  /** The same seed gives the same files; 0 by default. */
  readonly seed?: number;
  /** Whether a phantom that is there is replaced; it is refused by default. Another data set never is. */
  readonly overwrite?: boolean;
  readonly onProgress?: (progress: SlidesProgress) => void;
}

/** How far writeSlides is; called after each row of tiles. */
export interface SlidesProgress {
  /** From 1. */
  readonly case: number;
  readonly cases: number;
  /** Rows of pixels of the slide that are written. */
  readonly rows: number;
  readonly size: number;
}

/** Pixels along each side of a slide at most, and microns from pixel to pixel. */
export const MOST_SLIDE = 2 ** 17;
const MPP = { least: 0.05, most: 16 };
/** The part of a slide that tissue covers at most: its corners are round. */
const MOST_TISSUE = 0.8;

const TILE = 512;

/**
 * Writes synthetic slides of tissue stained with haematoxylin and eosin, as an nnU-Net folder of pictures: pyramids of tiles in TIFF
 * (BigTIFF from 4 GiB on) of red, green and blue, label maps (0 background, 1 tissue, 2 gland, 3 inflammation, 4 tumour) and, beside
 * them, their outlines as GeoJSON. A tumour is what a capsule goes around, 330 to 600 microns away from the middle where the slide is
 * large enough; within it the tissue is that outside. Slides are drawn tile by tile, so that any size takes little memory. dataset.json
 * appears last, when all cases are whole. Returns its path. Throws ImagingError, also if another dataset is in the folder.
 */
export async function writeSlides(options: SlidesOptions): Promise<string> {
  const { out, size, cases = 4, seed = 0, healthy, overwrite, onProgress } = options;
  check(options);
  const place = (folder: string, name: string): string => path.join(out, folder, name);
  const entries = Array.from({ length: cases }, (_, n) => {
    const id = `slide_${String(n).padStart(3, '0')}`;
    return {
      id,
      image: place('imagesTr', `${id}_0000.tif`),
      labels: place('labelsTr', `${id}.tif`),
      outlines: place('outlinesTr', `${id}.geojson`),
    };
  });
  const json = path.join(out, 'dataset.json');
  await refuseOtherDataset(json);
  checkOutputs({
    reads: [],
    writes: [json, ...entries.flatMap(({ id: _, ...files }) => Object.values(files))],
    overwrite,
  });
  for (const folder of ['imagesTr', 'labelsTr', 'outlinesTr']) makeFolder(path.join(out, folder));
  for (const [n, files] of entries.entries())
    await writeSlide(files, options, n, (rows) => onProgress?.({ case: n + 1, cases, rows, size }));
  await writeNnunetDescription(json, {
    name: datasetName,
    description: `Synthetic slides with haematoxylin and eosin, seed ${seed}. No patient data.`,
    labelNames: SLIDE_LABELS,
    channelNames: ['red', 'green', 'blue'],
    cases,
    fileEnding: '.tif',
    ...(healthy && {
      listed: entries.map(({ id, image, labels }, n) => ({
        id,
        images: [path.relative(out, image)],
        label: path.relative(out, labels),
        class: isHealthy(options, n) ? 'healthy' : 'tumour',
      })),
    }),
  });
  return json;
}

/** Whether a slide has no tumour. */
const isHealthy = ({ healthy }: SlidesOptions, index: number): boolean => healthy === true && index % 2 === 1;

function check({ size, cases = 4, mpp = 0.5, tissue = 0.75 }: SlidesOptions): void {
  const refuse = (field: string, expected: string, found: number): never => {
    throw new ImagingError({ field, expected, found: `${found}` });
  };
  if (!(Number.isInteger(size) && size >= 8 && size <= MOST_SLIDE))
    refuse('size', `a whole number from 8 to ${MOST_SLIDE}`, size);
  if (!(Number.isInteger(cases) && cases > 0)) refuse('cases', 'a whole number above 0', cases);
  if (!(mpp >= MPP.least && mpp <= MPP.most)) refuse('mpp', `microns from ${MPP.least} to ${MPP.most}`, mpp);
  if (!(tissue > 0 && tissue <= MOST_TISSUE))
    refuse('tissue', `a part of the slide above 0 and up to ${MOST_TISSUE}`, tissue);
}

interface SlideFiles {
  readonly image: string;
  readonly labels: string;
  readonly outlines: string;
}

async function writeSlide(
  files: SlideFiles,
  options: SlidesOptions,
  index: number,
  onRows: (rows: number) => void,
): Promise<void> {
  const { size, mpp = 0.5, tissue = 0.75, seed = 0 } = options;
  const tumours = !isHealthy(options, index);
  const renderer = new SlideRenderer({ side: size * mpp, share: tissue, seed, index, mpp, tumours });
  const plane = { height: size, width: size, microns: [mpp, mpp], type: 'uint8', tile: TILE } as const;
  const classes = SLIDE_LABELS.map((name, n) => [n, { name, colour: SLIDE_COLOURS[n] }] as const).slice(1);
  const begun: (TiffWriter | OutlineWriter)[] = [];
  const begin = async <T extends TiffWriter | OutlineWriter>(writer: Promise<T>): Promise<T> => {
    const found = await writer;
    begun.push(found);
    return found;
  };
  try {
    const image = await begin(createTiffWriter(files.image, { ...plane, samples: 3 }));
    const labels = await begin(
      createTiffWriter(files.labels, { ...plane, samples: 1, labels: true, colours: SLIDE_COLOURS }),
    );
    const outlines = await begin(createOutlineWriter(files.outlines, size, new Map(classes)));
    for (let row0 = 0; row0 < size; row0 += TILE) {
      const row1 = Math.min(row0 + TILE, size);
      const line = new Uint8Array((row1 - row0) * size);
      for (let col0 = 0; col0 < size; col0 += TILE) {
        const col1 = Math.min(col0 + TILE, size);
        const [rows, cols] = [row1 - row0, col1 - col0];
        const [rgb, classOf] = [new Uint8Array(3 * rows * cols), new Uint8Array(rows * cols)];
        renderer.render({ row: row0, col: col0, rows, cols }, rgb, classOf);
        await image.put({ row0, row1, col0, col1 }, rgb);
        for (let r = 0; r < rows; r++) line.set(classOf.subarray(r * cols, (r + 1) * cols), r * size + col0);
      }
      await labels.put({ row0, row1, col0: 0, col1: size }, line);
      await outlines.rows(line);
      onRows(row1);
    }
    for (const writer of begun) await writer.finish();
  } catch (error) {
    for (const writer of begun) await writer.abort();
    throw error;
  }
}
