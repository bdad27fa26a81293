import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Case, openDataset } from '../../dataset/dataset.ts';
import { createTiffWriter } from '../../formats/picture/tiff-write.ts';
import { readScan } from '../../formats/scan.ts';
import { ImagingError } from '../../volume/errors.ts';
import { MemorySource } from '../../volume/memory-source.ts';
import type { PrepareOptions } from '../../volume/prepared-case.ts';
import { channelOf, type VoxelBox } from '../../volume/voxel-source.ts';
import { loadCase } from '../preprocess.ts';
import { preprocess } from '../preprocess-dataset.ts';
import { resampleImage } from '../resample.ts';
import { resampleLabels } from '../resample-labels.ts';
import { openScanSource, planScan } from '../scan-source.ts';
import { openPictureCase } from './picture-boxes.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pictures-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const [height, width] = [75, 53];
/** Colours that change slowly, so that levels of a pyramid are alike. */
const colour = (row: number, column: number, channel: number): number =>
  Math.round(120 + 60 * Math.sin(row / 9 + channel) + 50 * Math.cos(column / 7));
const classAt = (row: number, column: number): number =>
  Math.hypot(row - 40, column - 20) < 17 ? 1 : column > 35 ? 2 : 0;

const pixels = (channels: number, at: (row: number, column: number, channel: number) => number): Uint8Array =>
  Uint8Array.from({ length: height * width * channels }, (_, n) => {
    const pixel = Math.floor(n / channels);
    return at(Math.floor(pixel / width), pixel % width, n % channels);
  });

async function writeTiff(file: string, samples: 1 | 3, microns?: readonly [number, number]): Promise<void> {
  const writer = await createTiffWriter(file, {
    ...{ height, width, samples, type: 'uint8', tile: 16 },
    ...(microns && { microns }),
    ...(samples === 1 && { labels: true }),
  });
  const box = { row0: 0, row1: height, col0: 0, col1: width };
  await writer.put(box, samples === 3 ? pixels(3, colour) : pixels(1, classAt));
  await writer.finish();
}

function writePng(
  file: string,
  colours: 0 | 2,
  at: (row: number, column: number, channel: number) => number,
) {
  const channels = colours === 0 ? 1 : 3;
  const png = new PNG({ width, height, colorType: colours, inputColorType: colours, inputHasAlpha: false });
  png.data = Buffer.from(pixels(channels, at));
  writeFileSync(
    file,
    PNG.sync.write(png, { colorType: colours, inputColorType: colours, inputHasAlpha: false }),
  );
}

const options: PrepareOptions = { normalizations: [{ kind: 'rgb' }, { kind: 'zscore' }, { kind: 'rgb' }] };

/** A data set of one slide with a mask, or with the folder's files as they are. */
async function slide(name: string): Promise<Case> {
  const dir = path.join(folder, name);
  mkdirSync(dir);
  await writeTiff(path.join(dir, 'a_he.tif'), 3, [0.5, 0.25]);
  await writeTiff(path.join(dir, 'a_mask.tif'), 1);
  writeFileSync(path.join(dir, 'dataset.json'), '{"labels": {"background": 0, "gland": 1, "stroma": 2}}');
  const { cases, channelNames } = await openDataset(dir, { images: '*_he.tif', labels: '*_mask.tif' });
  expect(channelNames).toEqual(['red', 'green', 'blue']);
  expect(cases.map(({ id }) => id)).toEqual(['a']);
  return cases[0];
}

describe('a slide', () => {
  let entry: Case;
  beforeAll(async () => {
    entry = await slide('whole');
  });

  test('is a volume of depth 1 with its own pixels, in the order of its file', async () => {
    const { shape, image, labels, original } = await loadCase(entry, options);
    expect(shape).toEqual([1, height, width]);
    expect(original.affine).toEqual([0.00025, 0, 0, 0, 0, 0.0005, 0, 0, 0, 0, 0.0005, 0, 0, 0, 0, 1]);
    const red = channelOf(image, shape, 0);
    expect([...red]).toEqual(
      [...pixels(1, (row, column) => colour(row, column, 0))].map((v) => Math.fround(v / 255)),
    );
    expect([...labels!]).toEqual([...pixels(1, classAt)]);
    const scan = await readScan(entry.image, { volume: 2, volumes: 3 });
    expect(scan.shape).toEqual([1, height, width]);
    expect([...scan.data]).toEqual([...pixels(1, (row, column) => colour(row, column, 2))]);
  });

  for (const [name, more] of Object.entries({
    'its own pixels': {},
    'pixels half as fine': { spacing: 0.001 },
    'pixels of another shape': { size: [1, 30, 41], multipleOf: 16 },
    'finer pixels': { spacing: 0.0002 },
  } satisfies Record<string, PrepareOptions>))
    test(`has the same bits by box and as a whole: ${name}`, async () => {
      const wanted = { ...options, ...more, plane: true };
      const whole = await loadCase(entry, wanted);
      const source = await openScanSource(entry, wanted);
      const { geometry } = await planScan(entry, wanted);
      const { source: trained } = await openPictureCase(entry, wanted, 0);
      expect([source.shape, geometry.shape, geometry.filled]).toEqual([
        whole.shape,
        whole.shape,
        whole.filled,
      ]);
      const [, rows, columns] = whole.shape;
      const boxes: VoxelBox[] = [
        { start: [0, 0, 0], end: [1, rows, columns] },
        { start: [0, 5, 3], end: [1, 21, 12] },
        { start: [0, rows - 1, 0], end: [1, rows, columns] },
      ];
      for (const { start, end } of boxes)
        for (let channel = 0; channel < 3; channel++) {
          const all = channelOf(whole.image, whole.shape, channel);
          const wantedValues: number[] = [];
          for (let row = start[1]; row < end[1]; row++)
            wantedValues.push(...all.subarray(row * columns + start[2], row * columns + end[2]));
          expect([...(await source.image({ start, end }, channel))]).toEqual(wantedValues);
          expect([...(await trained.image({ start, end }, channel))]).toEqual(wantedValues);
        }
      const kept = new MemorySource(whole, entry.labelNames);
      expect([trained.shape, trained.ranges, trained.classes]).toEqual([
        kept.shape,
        kept.ranges,
        kept.classes,
      ]);
      for (const box of boxes)
        expect([...(await trained.labels(box))]).toEqual([...(await kept.labels(box))]);
    });

  test('is resampled from the smallest level that has all of what is asked for', async () => {
    const { image, shape, labels } = await loadCase(entry, { ...options, size: [1, 30, 22] });
    expect(shape).toEqual([1, 30, 22]);
    // The level of half the size, whose pixels are means.
    const [levelRows, levelColumns] = [38, 27];
    const mean = (row: number, column: number): number => {
      const near = [0, 1].flatMap((down) => [0, 1].map((right) => [2 * row + down, 2 * column + right]));
      const inside = near.filter(([at, across]) => at < height && across < width);
      return inside.reduce((sum, [at, across]) => sum + colour(at, across, 0), 0) / inside.length;
    };
    const level = Float32Array.from({ length: levelRows * levelColumns }, (_, n) =>
      mean(Math.floor(n / levelColumns), n % levelColumns),
    );
    const { affine } = await readScan(entry.image, { volume: 0 });
    const wanted = resampleImage({ data: level, shape: [1, levelRows, levelColumns], affine }, { shape });
    for (const [n, value] of channelOf(image, shape, 0).entries())
      expect(Math.abs(value * 255 - wanted.data[n])).toBeLessThan(0.51);
    const truth = { data: pixels(1, classAt), shape: [1, height, width], affine } as const;
    expect([...labels!]).toEqual([...resampleLabels(truth, { shape }).data]);
  });

  test('has the same bits in a store', async () => {
    const out = path.join(folder, 'store');
    for (const spacing of [undefined, 0.0011]) {
      const store = `${out}${spacing}`;
      const data = path.join(folder, 'whole');
      const patterns = { images: '*_he.tif', labels: '*_mask.tif' };
      const done = await preprocess({ data, out: store, ...patterns, ...(spacing && { spacing }) });
      expect(done.failed).toEqual([]);
      const stored = (await openDataset(store)).cases[0];
      const wanted = { ...options, ...(spacing && { spacing }), plane: true };
      const [one, other] = [await loadCase(entry, wanted), await loadCase(stored, wanted)];
      expect(other.shape).toEqual(one.shape);
      expect(other.affine).toEqual(one.affine);
      expect(Buffer.from(other.image.buffer).equals(Buffer.from(one.image.buffer))).toBe(true);
      expect([...other.labels!]).toEqual([...one.labels!]);
    }
  });
});

describe('label maps of pictures', () => {
  const withMask = async (
    name: string,
    colours: 0 | 2,
    at: (row: number, column: number, channel: number) => number,
  ) => {
    const dir = path.join(folder, name);
    for (const sub of ['imagesTr', 'labelsTr']) mkdirSync(path.join(dir, sub), { recursive: true });
    writePng(path.join(dir, 'imagesTr', 'a_0000.png'), 2, colour);
    writePng(path.join(dir, 'labelsTr', 'a.png'), colours, at);
    const labels = '{"background": 0, "gland": 1, "stroma": 2}';
    const channels = '{"0": "red", "1": "green", "2": "blue"}';
    const text = `{"channel_names": ${channels}, "labels": ${labels}, "file_ending": ".png"}`;
    writeFileSync(path.join(dir, 'dataset.json'), text);
    const { cases } = await openDataset(dir);
    expect(cases.map(({ id }) => id)).toEqual(['a']);
    return loadCase(cases[0], options);
  };

  test('may be grey, in one channel or three', async () => {
    const wanted = [...pixels(1, classAt)];
    expect([...(await withMask('grey', 0, classAt)).labels!]).toEqual(wanted);
    expect([...(await withMask('colours', 2, classAt)).labels!]).toEqual(wanted);
  });

  test('are refused where they have colours or classes without a name', async () => {
    const red = withMask('red', 2, (row, _, channel) => (row > 9 && channel === 0 ? 255 : 0));
    await expect(red).rejects.toThrow(/label at pixel \(row, column\) = \(10, 0\).*the colour 255, 0, 0/);
    const four = withMask('four', 0, (row, column) => (row === 30 && column === 7 ? 4 : 0));
    await expect(four).rejects.toThrow(/label at voxel \(depth, height, width\) = \(0, 30, 7\).*found 4/);
  });
});

test('pictures of other colours, and options for volumes, are refused by name', async () => {
  const dir = path.join(folder, 'mixed');
  mkdirSync(dir);
  await writeTiff(path.join(dir, 'a.tif'), 3);
  writePng(path.join(dir, 'b.png'), 0, classAt);
  const { test: all } = await openDataset(dir, { images: '*' });
  const [a, b] = all;
  await expect(loadCase(b, options)).rejects.toThrow(/channels: expected 3, as other pictures.*found 1/);
  await expect(loadCase(a, { ...options, size: 20 })).rejects.toThrow(
    /one of rows and columns, for a picture/,
  );
  await expect(readScan(a.image)).rejects.toThrow(/one channel, found 3: red, green, blue/);
  await expect(readScan(a.image, { volume: 3, volumes: 3 })).rejects.toThrow(ImagingError);
});
