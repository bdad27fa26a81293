import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createTiffWriter } from '../../imaging/formats/picture/tiff-write.ts';

// A small data set of slides with a run's folder that was evaluated, without any training.

/** Rows and columns of the slides: several tiles, and some that are cut off. */
export const SIZE = { height: 1300, width: 1100 };
export const MICRONS = 0.5;

export const colourAt = (row: number, column: number, channel: number): number =>
  [200 - (row >> 3), 120 + ((row + column) >> 5), 180 - (column >> 4)][channel];

/** A class in a circle, another in a box, whose left side is an edge of tiles. */
export function classAt(row: number, column: number): number {
  if (Math.hypot(row - 400, column - 300) < 200) return 1;
  if (row >= 800 && row < 1100 && column >= 512 && column < 900) return 2;
  return 0;
}

const pixels = (samples: 1 | 3, at: (row: number, column: number, channel: number) => number): Uint8Array => {
  const out = new Uint8Array(SIZE.height * SIZE.width * samples);
  for (let n = 0; n < out.length; n++) {
    const pixel = Math.floor(n / samples);
    out[n] = at(Math.floor(pixel / SIZE.width), pixel % SIZE.width, n % samples);
  }
  return out;
};

/** Writes a picture of colours or of classes, a pyramid of tiles. */
export async function writeSlide(
  file: string,
  samples: 1 | 3,
  at: (row: number, column: number, channel: number) => number,
): Promise<void> {
  const writer = await createTiffWriter(file, {
    ...{ ...SIZE, samples, type: 'uint8', tile: 256 },
    ...(samples === 3 ? { microns: [MICRONS, MICRONS] as const } : { labels: true }),
  });
  await writer.put({ row0: 0, row1: SIZE.height, col0: 0, col1: SIZE.width }, pixels(samples, at));
  await writer.finish();
}

/** A polygon of a class as QuPath writes it, by the corners of a box. */
export const outlineOf = (name: string, [x0, y0, x1, y1]: readonly [number, number, number, number]) => ({
  type: 'Feature',
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [x0, y0],
        [x1, y0],
        [x1, y1],
        [x0, y1],
        [x0, y0],
      ],
    ],
  },
  properties: { objectType: 'annotation', classification: { name } },
});

export const outlinesText = (...features: readonly object[]): string =>
  JSON.stringify({ type: 'FeatureCollection', features });

/**
 * Writes `slides`, a data set of two slides with gland and tumour, and `slide-run`, which has segmented them: the first as a label map
 * that is moved by 40 pixels, the other as outlines.
 */
export async function writeSlides(dir: string): Promise<{ readonly data: string; readonly run: string }> {
  const [data, run] = [path.join(dir, 'slides'), path.join(dir, 'slide-run')];
  for (const folder of [`${data}/imagesTr`, `${data}/labelsTr`, `${run}/predictions`, `${run}/evaluation`])
    mkdirSync(folder, { recursive: true });
  for (const id of ['a', 'b']) {
    await writeSlide(`${data}/imagesTr/${id}_0000.tif`, 3, colourAt);
    await writeSlide(`${data}/labelsTr/${id}.tif`, 1, classAt);
  }
  await writeSlide(`${run}/predictions/a.tif`, 1, (row, column) => classAt(row, column + 40));
  writeFileSync(
    `${run}/predictions/b.geojson`,
    outlinesText(outlineOf('tumour', [512, 800, 900, 1100]), outlineOf('Gland', [100, 200, 500, 600])),
  );
  const names = ['background', 'gland', 'tumour'];
  const labels = Object.fromEntries(names.map((name, cls) => [name, cls]));
  const channels = { 0: 'red', 1: 'green', 2: 'blue' };
  writeFileSync(
    `${data}/dataset.json`,
    JSON.stringify({ channel_names: channels, labels, file_ending: '.tif', numTraining: 2 }),
  );
  writeFileSync(
    `${run}/config.json`,
    JSON.stringify({ data, out: run, classes: names, channels: Object.values(channels), plane: true }),
  );
  const scores = (dice: number) => ({
    gland: { dice, hausdorff95: 0.02 },
    tumour: { dice, hausdorff95: null },
  });
  const cases = [
    { id: 'a', kind: 'held out', classes: scores(0.9) },
    { id: 'b', kind: 'held out', classes: scores(0.5) },
  ];
  writeFileSync(
    `${run}/evaluation/summary.json`,
    JSON.stringify({
      ...{ data, settings: { lesion: null } },
      original: { cases, classes: names.map((name) => ({ name })) },
    }),
  );
  return { data, run };
}
