import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocess } from '../../imaging/index.ts';
import { PageFiles, type ShownSlide, saveView, serveView, View, type ViewServer } from '../index.ts';
import { ask } from '../view.testing.ts';
import { Pyramid, TILE } from './pyramid.ts';
import type { SlideSource } from './slide-source.ts';
import {
  classAt,
  colourAt,
  MICRONS,
  outlineOf,
  outlinesText,
  SIZE,
  writeSlide,
  writeSlides,
} from './slides.testing.ts';

let dir: string;
let data: string;
let run: string;
let page: PageFiles;
beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-slides-'));
  ({ data, run } = await writeSlides(dir));
  const web = path.join(dir, 'web');
  mkdirSync(web);
  writeFileSync(path.join(web, 'index.html'), '<html><body></body></html>');
  page = new PageFiles(web);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A slide without pixels on the disk; counts what is read of each level. */
function sourceOf(
  levels: SlideSource['levels'],
  labels: boolean,
  at: (level: number, row: number, column: number) => number,
): SlideSource & { readonly pixels: number[] } {
  const pixels = levels.map(() => 0);
  return {
    ...{ channels: 1, labels, levels, notes: [], ofPicture: true, pixels },
    async read(level, { row0, row1, column0, column1 }, out) {
      pixels[level] += out.length;
      let n = 0;
      for (let row = row0; row < row1; row++)
        for (let column = column0; column < column1; column++) out[n++] = at(level, row, column);
    },
  };
}

describe('a pyramid', () => {
  const size = { height: 8 * TILE + 5, width: 6 * TILE };
  const value = (row: number, column: number): number =>
    (Math.floor(row / 64) * 7 + Math.floor(column / 64) * 3) % 200;

  it('is made of a file without levels, and what is made once is not read again', async () => {
    const source = sourceOf([size], false, (_, row, column) => value(row, column));
    const pyramid = new Pyramid(source, path.join(dir, 'made'));
    expect(pyramid.levels.map(({ height, width }) => [height, width])).toEqual([
      [4101, 3072],
      [2051, 1536],
      [1026, 768],
      [513, 384],
      [257, 192],
    ]);
    const top = await pyramid.tile(4, 0, 0);
    expect([top.height, top.width]).toEqual([257, 192]);
    for (const [row, column] of [
      [0, 0],
      [100, 50],
      [200, 190],
    ])
      expect(top.samples[row * 192 + column]).toBe(value(row * 16, column * 16));
    expect(source.pixels).toEqual([size.height * size.width]);
    expect((await pyramid.tile(3, 0, 1)).samples.length).toBe(384);
    await pyramid.tile(4, 0, 0);
    expect(source.pixels).toEqual([size.height * size.width]);
    // Pixels are means of those that they cover.
    const striped = sourceOf([size], false, (_, row) => (row % 2 === 0 ? 10 : 20));
    const half = await new Pyramid(striped, path.join(dir, 'striped')).tile(1, 0, 0);
    expect(new Set(half.samples)).toEqual(new Set([15]));
  });

  it('reads the level of the file that is nearest, whatever its levels are', async () => {
    const levels = [size, { height: Math.floor(size.height / 4), width: size.width / 4 }];
    const source = sourceOf(levels, false, (level, row, column) =>
      value(row * 4 ** level, column * 4 ** level),
    );
    const pyramid = new Pyramid(source, path.join(dir, 'quarters'));
    const tile = await pyramid.tile(3, 0, 0);
    expect(source.pixels[0]).toBe(0);
    // In the middles of squares of one value.
    expect(tile.samples[44 * tile.width + 36]).toBe(value(44 * 8, 36 * 8));
    await pyramid.tile(1, 2, 1);
    expect(source.pixels[0]).toBe(4 * TILE * TILE);
  });

  it('takes labels from the middles of pixels, with those of neighbours around a tile', async () => {
    const source = sourceOf([size], true, (_, row, column) => ((row + column) % 2 === 0 ? 3 : 5));
    const pyramid = new Pyramid(source, path.join(dir, 'labels'));
    expect(new Set((await pyramid.tile(4, 0, 0)).samples)).toEqual(new Set([3]));
    const wide = await pyramid.tileWithMargin(0, 1, 0, 3);
    expect([wide.height, wide.width]).toEqual([TILE + 3, TILE + 6]);
    expect([...wide.samples.subarray(0, 2)]).toEqual([5, 3]);
    const corner = await pyramid.tileWithMargin(0, 5, 8, 3);
    expect([corner.height, corner.width]).toEqual([5 + 3, TILE + 3]);
    expect(pyramid.boxOf(0, 6, 0)).toBeUndefined();
    await expect(pyramid.tile(0, 0, 9)).rejects.toThrow(RangeError);
  });
});

/** What is told of a slide, and its tiles. */
async function slideAt(server: ViewServer, { url } = { url: '' }) {
  const answer = await ask(server.url + url);
  expect(answer.status, answer.bytes.toString()).toBe(200);
  const shown = JSON.parse(answer.bytes.toString()) as ShownSlide;
  const tile = (...place: number[]) => ask(`${server.url}${url}/${place.join('/')}`);
  return { shown, tile };
}

describe('slides that are served', () => {
  let view: View;
  let server: ViewServer;
  beforeAll(async () => {
    view = await View.open({ paths: [run] });
    server = await serveView(view, page);
  });
  afterAll(async () => {
    await server.close();
    view.close();
  });

  it('are cases with scores, tiles of pictures and tiles of classes', async () => {
    const { cases, classes, notes } = view.data;
    expect(notes).toEqual([]);
    expect(classes).toEqual(['background', 'gland', 'tumour']);
    expect(cases.map(({ id, images, results }) => [id, images, results[0].scores?.gland.dice])).toEqual([
      ['a', [], 0.9],
      ['b', [], 0.5],
    ]);
    const { shown, tile } = await slideAt(server, cases[0].slide);
    expect(shown).toEqual({
      levels: [SIZE, { height: 650, width: 550 }, { height: 325, width: 275 }],
      ...{ lowest: 0, tile: TILE, channels: 3, notes: [] },
      microns: { row: MICRONS, column: MICRONS },
    });
    const whole = await tile(0, 2, 1);
    expect(whole.headers['content-type']).toBe('image/png');
    const png = PNG.sync.read(whole.bytes);
    expect([png.height, png.width]).toEqual([512, 1100 - 1024]);
    for (const [row, column] of [
      [0, 0],
      [300, 75],
    ])
      expect([...png.data.subarray(4 * (row * 76 + column)).subarray(0, 3)]).toEqual(
        [0, 1, 2].map((channel) => colourAt(512 + row, 1024 + column, channel)),
      );
    const classesOf = async (file: { url: string } | undefined, row: number, column: number) => {
      const labels = await slideAt(server, file);
      expect(labels.shown.margin).toBe(3);
      const sent = await labels.tile(0, 0, 0);
      return gunzipSync(sent.bytes)[row * (TILE + 3) + column];
    };
    expect(await classesOf(cases[0].truth, 400, 300)).toBe(1);
    expect(await classesOf(cases[0].truth, 400, 101)).toBe(1);
    expect(await classesOf(cases[0].results[0].labels, 400, 61)).toBe(1);
    expect(await classesOf(cases[0].results[0].labels, 400, 470)).toBe(0);
    // Outlines, by the names of classes.
    const outlined = cases[1].results[0].labels;
    expect(await classesOf(outlined, 200, 100)).toBe(1);
    expect(await classesOf(outlined, 199, 100)).toBe(0);
    const { shown: drawn, tile: drawnTile } = await slideAt(server, outlined);
    expect(drawn.levels.length).toBe(3);
    const small = gunzipSync((await drawnTile(2, 0, 0)).bytes);
    for (const [row, column, cls] of [
      [240, 200, 2],
      [100, 80, 1],
      [300, 20, 0],
    ])
      expect(small[row * 275 + column]).toBe(cls);
  });

  it('are nothing else than tiles of what was opened', async () => {
    const url = view.data.cases[0].slide!.url;
    for (const at of [
      '9/0/0',
      '0/3/0',
      '0/-1/0',
      '0/0',
      '0/0/0/0',
      'x/0/0',
      '0/1e9/0',
      '../../x',
      '0/00000000000/0',
    ])
      expect((await ask(`${server.url}${url}/${at}`, {}, 'GET', {})).status, at).toBe(404);
    expect((await ask(`${server.url}slides/no-such-slide`)).status).toBe(404);
    expect((await ask(`${server.url}${url}`, { origin: 'https://example.org' })).status).toBe(403);
    const { origin } = new URL(server.url);
    expect((await ask(`${origin}/${url}/0/0/0`)).status).toBe(403);
  });
});

it('slides that lie elsewhere, are damaged or lie on other pixels are refused when they are asked for', async () => {
  const odd = path.join(dir, 'odd');
  mkdirSync(odd);
  symlinkSync(path.join(data, 'imagesTr/a_0000.tif'), path.join(odd, 'link.tif'));
  const bytes = readFileSync(path.join(data, 'imagesTr/a_0000.tif'));
  writeFileSync(path.join(odd, 'cut.tif'), bytes.subarray(0, 3000));
  await writeSlide(path.join(odd, 'whole.tif'), 3, colourAt);
  mkdirSync(path.join(dir, 'odd-labels'));
  writeFileSync(
    path.join(dir, 'odd-labels', 'whole.png'),
    PNG.sync.write(new PNG({ width: 30, height: 20 })),
  );
  const view = await View.open({ paths: [odd], predictions: [path.join(dir, 'odd-labels')] });
  const server = await serveView(view, page);
  const refusal = async (file: { url: string } | undefined) => {
    const { status, bytes: text } = await ask(`${server.url}${file?.url}`);
    return `${status} ${text}`;
  };
  const of = (id: string) => view.data.cases.find((one) => one.id === id)!;
  expect(await refusal(of('link').slide)).toMatch(/^403 .*outside of the opened folders/);
  expect(await refusal({ url: `${of('cut').slide?.url}/0/0/0` })).toMatch(/^403 .*cut\.tif/);
  expect(await refusal(of('whole').results[0].labels)).toMatch(/expected 1100 x 1300 pixels, found 30 x 20/);
  await server.close();
  view.close();
});

it('outlines name their classes where nothing else does', async () => {
  const file = path.join(dir, 'mine.geojson');
  writeFileSync(file, outlinesText(outlineOf('stroma', [0, 0, 9, 9]), outlineOf('gland', [20, 0, 40, 9])));
  const view = await View.open({ paths: [path.join(data, 'imagesTr/a_0000.tif')], predictions: [file] });
  expect(view.data.classes).toEqual(['background', 'gland', 'stroma']);
  view.close();
  const scan = {
    paths: [path.join(data, 'imagesTr/a_0000.tif')],
    predictions: [path.join(run, 'config.nii')],
  };
  writeFileSync(scan.predictions[0], '');
  await expect(View.open(scan)).rejects.toThrow(/is no label map of a slide/);
});

it('the slides of a store are shown with their own pixels', async () => {
  const store = path.join(dir, 'store');
  expect((await preprocess({ data, out: store, spacing: 0.001 })).failed).toEqual([]);
  const view = await View.open({ paths: [store] });
  const server = await serveView(view, page);
  const [{ slide, truth }] = view.data.cases;
  const { shown, tile } = await slideAt(server, slide);
  expect(shown.levels[0]).toEqual({ height: 650, width: 550 });
  expect(shown.microns?.row).toBeCloseTo(1, 6);
  const png = PNG.sync.read((await tile(0, 0, 0)).bytes);
  const [row, column] = [200, 150];
  for (let channel = 0; channel < 3; channel++)
    expect(
      Math.abs(png.data[4 * (row * png.width + column) + channel] - colourAt(400, 300, channel)),
    ).toBeLessThan(3);
  const labels = await slideAt(server, truth);
  expect(gunzipSync((await labels.tile(1, 0, 0)).bytes)[100 * 275 + 75]).toBe(1);
  await server.close();
  view.close();
});

it('a saved page holds the levels that are not too large', async () => {
  const view = await View.open({ paths: [run] });
  const file = path.join(dir, 'saved.html');
  await saveView(view, page, file, { cases: ['a'] });
  const html = readFileSync(file, 'utf8');
  const [a, b] = view.data.cases;
  const held = (id: string): string =>
    new RegExp(`<script id="${id}"[^>]*>([^<]*)</script>`).exec(html)?.[1] ?? '';
  const id = a.slide!.url.split('/')[1];
  expect(JSON.parse(held(`slide-${id}`))).toMatchObject({ lowest: 0, levels: { length: 3 } });
  const png = PNG.sync.read(Buffer.from(held(`tile-${id}-0-1-1`), 'base64'));
  expect([...png.data.subarray(0, 3)]).toEqual([0, 1, 2].map((channel) => colourAt(512, 512, channel)));
  const truth = gunzipSync(Buffer.from(held(`tile-${a.truth!.url.split('/')[1]}-0-0-0`), 'base64'));
  expect(truth[400 * (TILE + 3) + 300]).toBe(classAt(400, 300));
  expect(html).not.toContain(b.slide!.url.split('/')[1]);
  view.close();
});
