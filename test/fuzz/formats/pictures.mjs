import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadCase, loadLabels, openScanSource, readScan } from '../../../dist/imaging/index.js';
import { mutateBytes, mutateJson, mutateText } from '../mutate.mjs';
import { soundness } from './scan.mjs';

// Pictures of the fixtures: every way to store them that is read.

const fixtures = JSON.parse(readFileSync(new URL('../../fixtures/pictures.json', import.meta.url), 'utf8'));
const filesLike = (ending) =>
  Object.entries(fixtures)
    .filter(([name]) => ending.test(name))
    .map(([, { file }]) => Buffer.from(file, 'base64'));

/** Reads a picture as an image, whole, by box and resampled, and as a label map. */
async function readPicture(file) {
  const scan = await readScan(file, { volume: 0 });
  const wrong = soundness(scan);
  if (wrong !== undefined) return wrong;
  const [, height, width] = scan.shape;
  const normalizations = [{ kind: 'rgb' }];
  for (const channels of [undefined, [0, 1, 2].map((volume) => ({ file, volume, volumes: 3 }))]) {
    const options = { normalizations: channels ? [0, 1, 2].map(() => normalizations[0]) : normalizations };
    const entry = { id: 'a', image: file, ...(channels && { channels }) };
    const colours = await readScan(file, { volume: 2 }).then(
      () => true,
      () => false,
    );
    if (colours !== (channels !== undefined)) continue;
    const { image } = await loadCase(entry, options);
    if (!image.every(Number.isFinite)) return 'a number is not finite';
    const half = { ...options, size: [1, Math.ceil(height / 2), Math.ceil(width / 2)] };
    const source = await openScanSource(entry, half);
    const [, rows, columns] = source.shape;
    const box = { start: [0, 0, 0], end: [1, rows, columns] };
    if (!(await source.image(box)).every(Number.isFinite)) return 'a number of a smaller level is not finite';
  }
  return undefined;
}

const pictures = (name, ending, head) => () => {
  const files = filesLike(ending);
  return {
    mutant: (random) => ({ [name]: mutateBytes(random, random.pick(files), head) }),
    read: async (folder) => {
      const file = path.join(folder, name);
      const labels = readScan(file, { labels: true });
      // Colours are no labels, and JPEG is none.
      const wrong = await labels.then(soundness, (error) => {
        if (error.name !== 'ImagingError') throw error;
      });
      return wrong ?? readPicture(file);
    },
  };
};

export const png = pictures('scan.png', /\.png$/, 64);
export const jpeg = pictures('scan.jpg', /\.jpg$/);
export const tiff = pictures('scan.tif', /\.(tif|svs)$/);

/** Outlines on a picture, damaged as bytes, as a text and as values. */
export function geojson() {
  const ring = [
    [1, 1],
    [9.5, 1],
    [9.5, 7],
    [1, 1],
  ];
  const feature = (type, coordinates, name) => ({
    type: 'Feature',
    geometry: { type, coordinates },
    properties: { classification: { name } },
  });
  const content = {
    type: 'FeatureCollection',
    features: [
      feature('Polygon', [ring], 'gland'),
      feature('MultiPolygon', [[ring], [ring, ring]], 'tumour'),
    ],
  };
  const text = JSON.stringify(content);
  return {
    mutant: (random) => ({
      'a.geojson': random.pick([
        () => mutateBytes(random, Buffer.from(text)),
        () => mutateText(random, text),
        () => mutateJson(random, text),
      ])(),
    }),
    async read(folder) {
      const grid = { shape: [1, 12, 11], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
      const { data } = await loadLabels(path.join(folder, 'a.geojson'), grid, ['none', 'gland', 'tumour']);
      return data.length === 132 && data.every((label) => label < 3)
        ? undefined
        : 'labels that there are not';
    },
  };
}
