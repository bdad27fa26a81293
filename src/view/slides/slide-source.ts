import { fail } from '../../core/index.ts';
import { openPicture } from '../../imaging/formats/picture/picture.ts';
import { samplesOf } from '../../imaging/formats/picture/picture-types.ts';
import {
  codeTable,
  type Grid,
  IGNORED,
  isZarr,
  type LabelCodes,
  labelOptions,
  type OpenScan,
  openScan,
  outlineEnding,
  type PictureBox,
  spacingOf,
} from '../../imaging/index.ts';
import { checkedFiles, type StreamedScan } from '../scan-stream.ts';

/** Bytes of unpacked tiles of a file that stay in memory. */
const KEPT = 2 ** 25;
/** PNG and JPEG are unpacked as a whole: bytes that this may take. */
const MOST_WHOLE = 2 ** 30;
/** Samples of 16 bits are divided by this, so that they are 0 to 255. */
const WIDE = 257;

/** Pixels of a level. */
export interface PyramidLevel {
  readonly height: number;
  readonly width: number;
}

/** A slide or its label map as tiles are made of it, a byte for each sample. Files are opened for each reading alone. */
export interface SlideSource {
  /** Red, green and blue, or one of grey or of classes. */
  readonly channels: 1 | 3;
  /** Whether its samples are classes, of which there is no mean. */
  readonly labels: boolean;
  /** From the largest to the smallest. */
  readonly levels: readonly PyramidLevel[];
  /** From pixel to pixel of the largest level, where that is known. */
  readonly microns?: { readonly row: number; readonly column: number };
  readonly notes: readonly string[];
  /** Whether it is a picture, on whose pixels label maps lie; else it is of a store, which may have other pixels. */
  readonly ofPicture: boolean;
  /** Puts the samples of a box within a level into `out`, interleaved. */
  read(level: number, box: PictureBox, out: Uint8Array): Promise<void>;
}

/** Gives the real path of a file, or throws for one that may not be opened. */
type Checked = (file: string) => Promise<string>;

/** Opens the image of a slide: a picture, or its channels in a store. Throws ImagingError where it cannot be read. */
export async function openSlide(images: readonly StreamedScan[], checked: Checked): Promise<SlideSource> {
  const [{ file }] = images;
  if (isZarr(file)) return openStoredSlide(images, checked);
  const real = await checked(file);
  const picture = await openPicture(checkedFiles(checked), real, { maxBytes: MOST_WHOLE }, KEPT);
  if (picture === undefined) return noPicture(file);
  const { channels, type, levels, pixel, notes } = picture;
  const others = images.some((one) => one.file !== file);
  return {
    ...{ channels, labels: false, levels, ofPicture: true },
    ...(pixel && { microns: pixel }),
    notes: [...notes, ...(others ? ['the first of its channels is shown'] : [])],
    async read(level, box, out) {
      if (type === 'uint8') return picture.read(level, box, out);
      const wide = samplesOf(type, out.length);
      await picture.read(level, box, wide);
      for (let n = 0; n < wide.length; n++) out[n] = Math.round(wide[n] / WIDE);
    },
  };
}

/** Channels of a store: of three, colours. */
async function openStoredSlide(images: readonly StreamedScan[], checked: Checked): Promise<SlideSource> {
  const count = images.length === 3 ? 3 : 1;
  const scans: OpenScan[] = [];
  for (const { file } of images.slice(0, count)) scans.push(await openScan(await checked(file)));
  const [{ header }] = scans;
  const [depth, height, width] = header.shape;
  if (depth !== 1) return noPicture(images[0].file);
  const [, row, column] = spacingOf(header).map((mm) => 1000 * mm);
  return {
    ...{ channels: count, labels: false, levels: [{ height, width }], microns: { row, column } },
    ofPicture: false,
    notes: images.length > count ? ['the first of its channels is shown'] : [],
    async read(_, box, out) {
      const plane = new Float32Array(out.length / count);
      for (const [channel, scan] of scans.entries()) {
        await boxOf(scan, box, plane);
        for (let n = 0; n < plane.length; n++)
          out[n * count + channel] = Math.round(Math.min(255, Math.max(0, plane[n])));
      }
    },
  };
}

function noPicture(file: string): never {
  return fail({ where: file, problem: 'is no picture', hint: 'Convert it to TIFF or PNG' });
}

const boxOf = async (
  { box }: OpenScan,
  { row0, row1, column0, column1 }: PictureBox,
  out: Parameters<NonNullable<OpenScan['box']>>[1],
): Promise<void> => box!({ start: [0, row0, column0], end: [1, row1, column1] }, out);

/** What the values of a label map mean, and what it lies on. */
export interface LabelsShown {
  readonly codes?: LabelCodes;
  /** Of labels 0, 1, 2..., for outlines. */
  readonly names: readonly string[];
  /** The size of the slide, where it is a picture. */
  readonly onto?: PyramidLevel;
}

/** Opens the label map of a slide: a picture, outlines, or labels of a store. Throws HalomeshError where it is none. */
export async function openSlideLabels(
  file: string,
  { codes, names, onto }: LabelsShown,
  checked: Checked,
): Promise<SlideSource> {
  const real = await checked(file);
  const files = checkedFiles(checked);
  if (isZarr(file)) return labelSource(file, await openScan(real, { labels: true }));
  if (outlineEnding.test(file)) {
    if (onto === undefined)
      fail({ where: file, problem: 'outlines are shown on a picture', found: 'a slide of a store' });
    return outlineSource(file, await openScan(real, labelOptions(gridOf(onto!), names, codes), files), codes);
  }
  const picture = await openPicture(files, real, { labels: true, maxBytes: MOST_WHOLE }, KEPT);
  if (picture === undefined) return noPicture(file);
  const { levels, type, channels } = picture;
  checkSize(file, levels[0], onto);
  if (channels === 3) return labelSource(file, await openScan(real, { labels: true }, files), codes);
  return {
    ...{ channels: 1, labels: true, levels, notes: [], ofPicture: true },
    async read(level, box, out) {
      const values = samplesOf(type, out.length);
      await picture.read(level, box, values);
      classesOf(file, values, codes, out);
    },
  };
}

/** A label map that is read by boxes of its one level. */
function labelSource(file: string, scan: OpenScan, codes?: LabelCodes): SlideSource {
  const [depth, height, width] = scan.header.shape;
  if (depth !== 1) return noPicture(file);
  return {
    ...{ channels: 1, labels: true, levels: [{ height, width }], notes: [], ofPicture: true },
    async read(_, box, out) {
      const values = new Uint16Array(out.length);
      await boxOf(scan, box, values);
      classesOf(file, values, codes, out);
    },
  };
}

/** Outlines have every level: the rows and columns in the middles of its pixels are filled, and no others. */
function outlineSource(file: string, scan: OpenScan, codes?: LabelCodes): SlideSource {
  const [, height, width] = scan.header.shape;
  const levels: PyramidLevel[] = [{ height, width }];
  for (let factor = 2; Math.max(height, width) > factor; factor *= 2)
    levels.push({ height: Math.ceil(height / factor), width: Math.ceil(width / factor) });
  return {
    ...{ channels: 1, labels: true, levels, notes: [], ofPicture: true },
    async read(level, { row0, row1, column0, column1 }, out) {
      const factor = 2 ** level;
      const middle = (at: number, size: number): number =>
        Math.min(size - 1, Math.floor((at + 0.5) * factor));
      const left = column0 * factor;
      const across = column1 - column0;
      const values = new Uint16Array(Math.min(width, column1 * factor) - left);
      const picked = new Uint16Array(across);
      for (let row = row0; row < row1; row++) {
        const at = middle(row, height);
        const line = { row0: at, row1: at + 1, column0: left, column1: left + values.length };
        await boxOf(scan, line, values);
        for (let n = 0; n < across; n++) picked[n] = values[middle(column0 + n, width) - left];
        classesOf(file, picked, codes, out.subarray((row - row0) * across, (row - row0 + 1) * across));
      }
    },
  };
}

/** Puts the classes of values into `out`; what is left out is 0. */
function classesOf(
  file: string,
  values: Uint8Array | Uint16Array,
  codes: LabelCodes | undefined,
  out: Uint8Array,
): void {
  const table = codeTable(codes);
  for (let n = 0; n < values.length; n++) {
    const cls = values[n] <= 255 ? table[values[n]] : -1;
    if (cls < 0)
      fail({ where: file, problem: 'has a value that stands for no class', found: `${values[n]}` });
    out[n] = cls === IGNORED ? 0 : cls;
  }
}

function checkSize(file: string, { height, width }: PyramidLevel, onto: PyramidLevel | undefined): void {
  if (onto === undefined || (onto.height === height && onto.width === width)) return;
  fail({
    where: file,
    problem: 'is no label map of this slide',
    expected: `${onto.width} x ${onto.height} pixels`,
    found: `${width} x ${height}`,
  });
}

const gridOf = ({ height, width }: PyramidLevel): Grid => ({
  shape: [1, height, width],
  affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
});
