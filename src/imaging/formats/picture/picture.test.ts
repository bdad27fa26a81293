import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ImagingError } from '../../volume/errors.ts';
import { concatBytes, putAscii, viewOf } from '../bytes.ts';
import { givenFiles } from '../given-files.ts';
import { isPicture, openPicture } from './picture.ts';
import { boxPixels, type OpenPicture, type PictureReadOptions, samplesOf } from './picture-types.ts';

interface Values {
  /** Rows, columns, and channels where there are three. */
  readonly shape: readonly number[];
  /** Samples in little endian. */
  readonly values: string;
}

interface Fixture {
  readonly file: string;
  readonly levels: readonly Values[];
  /** As a label map. */
  readonly labels?: Values;
  readonly microns?: readonly [row: number, column: number];
}

const fixtures = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/pictures.json', import.meta.url), 'utf8'),
) as Record<string, Fixture>;

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

async function open(bytes: Uint8Array, options: PictureReadOptions = {}): Promise<OpenPicture> {
  const found = await openPicture(givenFiles(new Map([['a', bytes]])), 'a', options);
  if (found === undefined) throw new Error('no picture');
  return found;
}

/** The samples of a box of a level, all by default, as bytes in little endian. */
async function read(picture: OpenPicture, level = 0, part?: readonly [number, number, number, number]) {
  const { height, width } = picture.levels[level];
  const [row0, row1, column0, column1] = part ?? [0, height, 0, width];
  const box = { row0, row1, column0, column1 };
  const out = samplesOf(picture.type, boxPixels(box) * picture.channels);
  await picture.read(level, box, out);
  return out;
}

const asBytes = (samples: Uint8Array | Uint16Array): Buffer =>
  Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);

describe('pictures have the values that other readers give', () => {
  for (const [name, { file, levels, labels, microns }] of Object.entries(fixtures))
    test(name, async () => {
      const picture = await open(bytesOf(file));
      expect(picture.levels.map(({ height, width }) => [height, width])).toEqual(
        levels.map(({ shape }) => shape.slice(0, 2)),
      );
      expect(picture.channels).toBe(levels[0].shape[2] ?? 1);
      for (const [n, { values }] of levels.entries())
        expect(asBytes(await read(picture, n)).equals(Buffer.from(values, 'base64'))).toBe(true);
      expect(picture.pixel).toEqual(microns && { row: microns[0], column: microns[1] });
      if (labels === undefined) return;
      const map = await open(bytesOf(file), { labels: true });
      expect(map.channels).toBe(1);
      expect(asBytes(await read(map)).equals(Buffer.from(labels.values, 'base64'))).toBe(true);
    });
});

test('boxes are parts of the whole', async () => {
  for (const name of ['slide-420.svs', 'strips-lzw.tif', 'planes.tif', 'wide.png', 'tiles-none.tif']) {
    const picture = await open(bytesOf(fixtures[name].file));
    const [{ width }] = picture.levels;
    const whole = await read(picture);
    for (const [row0, row1, column0, column1] of [
      [3, 18, 5, 22],
      [15, 17, 0, 1],
      [7, 7, 3, 9],
    ] as const) {
      const rows = Array.from({ length: row1 - row0 }, (_, n) => {
        const [from, to] = [column0, column1].map(
          (column) => ((row0 + n) * width + column) * picture.channels,
        );
        return [...whole.subarray(from, to)];
      });
      expect([...(await read(picture, 0, [row0, row1, column0, column1]))]).toEqual(rows.flat());
    }
  }
});

test('what is left out is told', async () => {
  expect((await open(bytesOf(fixtures['alpha.tif'].file))).notes).toEqual(['its alpha channel is left out']);
  expect((await open(bytesOf(fixtures['RGBA.png'].file))).notes).toEqual(['its alpha channel is left out']);
  expect((await open(bytesOf(fixtures['print.tif'].file))).notes).toEqual([
    'its resolution, 84.67 x 84.67 microns a pixel, is none of a microscope and is passed over',
  ]);
});

test('other files are no pictures', async () => {
  const given = givenFiles(new Map([['a', new Uint8Array(400)]]));
  expect(await openPicture(given, 'a')).toBeUndefined();
  expect(isPicture(Uint8Array.of(0x42, 0x4d, 0, 0))).toBe(false);
});

function chunk(kind: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  viewOf(out).setUint32(0, data.length);
  putAscii(out, kind, 4);
  out.set(data, 8);
  return out;
}

function png(header: readonly number[], rows: Uint8Array): Uint8Array {
  const [width, height, ...rest] = header;
  const head = new Uint8Array(13);
  viewOf(head).setUint32(0, width);
  viewOf(head).setUint32(4, height);
  head.set(rest, 8);
  const start = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
  return concatBytes([
    start,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

test('an interlaced PNG is put together from its passes', async () => {
  const [width, height] = [5, 9];
  const value = (row: number, column: number): number => row * 16 + column;
  const passes = [
    [0, 0, 8, 8],
    [0, 4, 8, 8],
    [4, 0, 8, 4],
    [0, 2, 4, 4],
    [2, 0, 4, 2],
    [0, 1, 2, 2],
    [1, 0, 2, 1],
  ];
  const bytes: number[] = [];
  for (const [row0, column0, down, across] of passes)
    for (let row = row0; row < height; row += down) {
      bytes.push(0);
      for (let column = column0; column < width; column += across) bytes.push(value(row, column));
    }
  const picture = await open(png([width, height, 8, 0, 0, 0, 1], Uint8Array.from(bytes)));
  const wanted = Array.from({ length: width * height }, (_, n) => value(Math.floor(n / width), n % width));
  expect([...(await read(picture))]).toEqual(wanted);
});

describe('what cannot be used is refused', () => {
  const refused = async (bytes: Uint8Array, options?: PictureReadOptions): Promise<string> => {
    try {
      await read(await open(bytes, options));
    } catch (error) {
      if (error instanceof ImagingError) return error.message;
      throw error;
    }
    return 'nothing was refused';
  };

  test('pictures that promise more than they hold', async () => {
    expect(await refused(png([60_000, 60_000, 8, 2, 0, 0, 0], new Uint8Array(10)))).toMatch(
      /at most 1073741824 bytes unpacked.*60000 x 60000.*vips/,
    );
    expect(await refused(png([20_000, 20_000, 8, 0, 0, 0, 0], new Uint8Array(10)))).toMatch(
      /IDAT: expected enough for 20000 x 20000/,
    );
    expect(await refused(png([20, 20, 8, 0, 0, 0, 0], new Uint8Array(10)))).toMatch(/20 rows, found fewer/);
    const jpeg = bytesOf(fixtures['grey.jpg'].file);
    const frame = jpeg.findIndex((byte, n) => byte === 0xff && jpeg[n + 1] === 0xc0);
    const large = jpeg.slice();
    viewOf(large).setUint32(frame + 5, 0x4e204e20);
    expect(await refused(large)).toMatch(/file size: expected enough for 20000 x 20000 pixels/);
  });

  test('files that are cut short', async () => {
    for (const [name, { file }] of Object.entries(fixtures)) {
      const whole = bytesOf(file);
      const message = await refused(whole.subarray(0, Math.floor(whole.length * 0.6)));
      // Directories of TIFF may lie before or behind the pixels; a progressive JPEG may still be decoded.
      if (name !== 'progressive.jpg') expect(message, name).toMatch(/^a: .*expected .*found/);
    }
  });

  test('a tile that unpacks to another size than it should', async () => {
    const bytes = bytesOf(fixtures['slide-rgb.svs'].file);
    const frame = bytes.findIndex((byte, n) => byte === 0xff && bytes[n + 1] === 0xc0);
    viewOf(bytes).setUint16(frame + 7, 4000);
    expect(await refused(bytes)).toMatch(/tile \(row, column\) = .*4000 x 16 pixels.*16 x 16/);
  });

  test('label maps in a format that changes values', async () => {
    expect(await refused(bytesOf(fixtures['grey.jpg'].file), { labels: true })).toMatch(/PNG or TIFF/);
  });
});
