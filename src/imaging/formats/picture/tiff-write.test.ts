import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { createTiffWriter, type PixelBox, type Pixels, type TiffPicture } from './tiff-write.ts';

const folder = temporaryFolder();

/** A directory of a file, read entry by entry. */
interface Directory {
  readonly tags: ReadonlyMap<number, readonly number[]>;
}

/** The directories of a little-endian TIFF or BigTIFF, and its pixels of one of them. */
function parse(bytes: Buffer): { big: boolean; directories: Directory[] } {
  expect(bytes.toString('latin1', 0, 2)).toBe('II');
  const big = bytes.readUInt16LE(2) === 43;
  const offset = (at: number) => (big ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const sizes: Record<number, number> = { 2: 1, 3: 2, 4: 4, 5: 8, 16: 8 };
  const directories: Directory[] = [];
  for (let at = offset(big ? 8 : 4); at !== 0; ) {
    const count = big ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt16LE(at);
    const tags = new Map<number, number[]>();
    at += big ? 8 : 2;
    for (let n = 0; n < count; n++, at += big ? 20 : 12) {
      const type = bytes.readUInt16LE(at + 2);
      const values = offset(at + 4);
      const inside = at + (big ? 12 : 8);
      const from = values * sizes[type] <= (big ? 8 : 4) ? inside : offset(inside);
      expect(from % 2).toBe(0);
      const value = (k: number): number => {
        if (type === 2) return bytes[from + k];
        if (type === 3) return bytes.readUInt16LE(from + 2 * k);
        if (type === 5) return bytes.readUInt32LE(from + 8 * k) / bytes.readUInt32LE(from + 8 * k + 4);
        return type === 16 ? Number(bytes.readBigUInt64LE(from + 8 * k)) : bytes.readUInt32LE(from + 4 * k);
      };
      tags.set(
        bytes.readUInt16LE(at),
        Array.from({ length: values }, (_, k) => value(k)),
      );
    }
    expect([...tags.keys()]).toEqual([...tags.keys()].sort((a, b) => a - b));
    directories.push({ tags });
    at = offset(at);
  }
  return { big, directories };
}

function pixelsOf(bytes: Buffer, { tags }: Directory): number[] {
  const [width, height, samples, tile] = [256, 257, 277, 322].map((tag) => tags.get(tag)![0]);
  const wide = tags.get(258)![0] === 16;
  const out = new Array<number>(width * height * samples);
  const along = Math.ceil(width / tile);
  for (const [n, at] of tags.get(324)!.entries()) {
    const data = inflateSync(bytes.subarray(at, at + tags.get(325)![n]));
    expect(data.length).toBe(tile * tile * samples * (wide ? 2 : 1));
    for (let r = 0; r < tile; r++)
      for (let c = 0; c < tile; c++) {
        const [row, col] = [Math.floor(n / along) * tile + r, (n % along) * tile + c];
        if (row >= height || col >= width) continue;
        for (let s = 0; s < samples; s++) {
          const from = (r * tile + c) * samples + s;
          out[(row * width + col) * samples + s] = wide ? data.readUInt16LE(2 * from) : data[from];
        }
      }
  }
  return out;
}

const value = (row: number, col: number, sample: number): number => (row * 31 + col * 7 + sample * 101) % 251;

function pixelsIn({ row0, row1, col0, col1 }: PixelBox, { samples, type }: TiffPicture): Pixels {
  const cols = col1 - col0;
  const length = (row1 - row0) * cols * samples;
  const out = type === 'uint8' ? new Uint8Array(length) : new Uint16Array(length);
  return out.map((_, n) => {
    const pixel = Math.floor(n / samples);
    return value(row0 + Math.floor(pixel / cols), col0 + (pixel % cols), n % samples);
  });
}

async function written(name: string, picture: TiffPicture, boxes: readonly PixelBox[]): Promise<Buffer> {
  const file = path.join(folder, name);
  const writer = await createTiffWriter(file, picture);
  for (const box of boxes) await writer.put(box, pixelsIn(box, picture));
  await writer.finish();
  return readFileSync(file);
}

/** A picture in boxes of no more than so many rows and columns. */
function boxesOf({ height, width }: TiffPicture, rows: number, cols: number): PixelBox[] {
  const boxes: PixelBox[] = [];
  for (let row0 = 0; row0 < height; row0 += rows)
    for (let col0 = 0; col0 < width; col0 += cols)
      boxes.push({ row0, row1: Math.min(row0 + rows, height), col0, col1: Math.min(col0 + cols, width) });
  return boxes;
}

const size = { height: 75, width: 141 };

describe('pyramids of tiles', () => {
  it('hold red, green and blue, each level the mean of the one before it', async () => {
    const picture = {
      ...size,
      samples: 3,
      type: 'uint8',
      tile: 32,
      microns: [0.5, 0.2527],
      description: 'a',
    } as const;
    const bytes = await written('rgb.tif', picture, boxesOf(picture, 32, 1000));
    const { big, directories } = parse(bytes);
    expect(big).toBe(false);
    const sizes = directories.map(({ tags }) => [tags.get(257)![0], tags.get(256)![0]]);
    expect(sizes).toEqual([
      [75, 141],
      [38, 71],
      [19, 36],
      [10, 18],
    ]);
    expect(directories.map(({ tags }) => tags.get(254))).toEqual([[0], [1], [1], [1]]);
    expect(directories[0].tags.get(262)).toEqual([2]);
    const whole = { row0: 0, row1: 75, col0: 0, col1: 141 };
    const levels = directories.map((directory) => pixelsOf(bytes, directory));
    expect(levels[0]).toEqual([...pixelsIn(whole, picture)]);
    for (const [level, [rows, cols]] of sizes.entries()) {
      if (level === 0) continue;
      const [height, width] = sizes[level - 1];
      const above = (r: number, c: number, s: number): number =>
        levels[level - 1][(Math.min(r, height - 1) * width + Math.min(c, width - 1)) * 3 + s];
      for (let n = 0; n < rows * cols * 3; n++) {
        const [r, c, s] = [Math.floor(n / 3 / cols), Math.floor(n / 3) % cols, n % 3];
        const sum = [0, 1].flatMap((i) => [0, 1].map((j) => above(2 * r + i, 2 * c + j, s)));
        expect(levels[level][n]).toBe(Math.floor((sum[0] + sum[1] + sum[2] + sum[3] + 2) / 4));
      }
    }
    // Pixels a centimetre, of each level.
    for (const [level, { tags }] of directories.entries()) {
      expect(1e4 / tags.get(283)![0]).toBeCloseTo(0.5 * 2 ** level, 12);
      expect(1e4 / tags.get(282)![0]).toBeCloseTo(0.2527 * 2 ** level, 9);
      expect(tags.get(296)).toEqual([3]);
    }
  });

  it('hold numbers of classes with their colours, each level one in four of them', async () => {
    const colours = [
      [0, 0, 0],
      [255, 0, 128],
    ] as const;
    const picture = { ...size, samples: 1, type: 'uint8', labels: true, colours, tile: 16 } as const;
    const bytes = await written('labels.tif', picture, boxesOf(picture, 16, 1000));
    const { directories } = parse(bytes);
    const last = directories.at(-1)!;
    expect(last.tags.get(256)![0]).toBe(9);
    const found = pixelsOf(bytes, last);
    expect(found).toEqual(found.map((_, n) => value(16 * Math.floor(n / 9), 16 * (n % 9), 0)));
    expect(directories[0].tags.get(262)).toEqual([3]);
    const map = directories[0].tags.get(320)!;
    expect([map[1], map[257], map[513]]).toEqual([65535, 0, 128 * 257]);
    expect(directories[0].tags.has(282)).toBe(false);
  });

  it('hold 16 bits, and are BigTIFF where the file is large', async () => {
    const picture = { ...size, samples: 1, type: 'uint16', tile: 32, mostClassicBytes: 1000 } as const;
    const bytes = await written('big.tif', picture, boxesOf(picture, 75, 141));
    const { big, directories } = parse(bytes);
    expect(big).toBe(true);
    expect(pixelsOf(bytes, directories[0])).toEqual([...pixelsIn(boxesOf(picture, 75, 141)[0], picture)]);
  });

  it('have the same bytes from boxes of any size in any order, and give all pixels again', async () => {
    const picture = { ...size, samples: 3, type: 'uint8', tile: 32 } as const;
    const rows = await written('rows.tif', picture, boxesOf(picture, 32, 1000));
    expect(await written('boxes.tif', picture, boxesOf(picture, 17, 50).reverse())).toEqual(rows);
    const writer = await createTiffWriter(path.join(folder, 'again.tif'), picture);
    for (const box of boxesOf(picture, 20, 20)) await writer.put(box, pixelsIn(box, picture));
    const found: number[] = [];
    await writer.eachRowOfTiles((_, __, pixels) => found.push(...pixels));
    expect(found).toEqual([...pixelsIn({ row0: 0, row1: 75, col0: 0, col1: 141 }, picture)]);
    await writer.finish();
    expect(readFileSync(path.join(folder, 'again.tif'))).toEqual(rows);
  });

  it('are refused where pixels are missing, and leave nothing behind', async () => {
    const picture = { ...size, samples: 1, type: 'uint8', tile: 32 } as const;
    const writer = await createTiffWriter(path.join(folder, 'missing.tif'), picture);
    const [first] = boxesOf(picture, 32, 32);
    await writer.put(first, pixelsIn(first, picture));
    await expect(writer.finish()).rejects.toThrow('missing.tif: pixels: expected all of the picture, found');
    await expect(createTiffWriter(path.join(folder, 'no/such.tif'), picture)).rejects.toThrow(
      'Make the folder first',
    );
    await expect(createTiffWriter(path.join(folder, 'odd.tif'), { ...picture, tile: 20 })).rejects.toThrow(
      'tile: expected a multiple of 16, found 20',
    );
    const left = readdirSync(folder).filter((name) => /partial|missing|odd/.test(name));
    expect(left).toEqual([]);
  });
});
