import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { parseTiff, pixelsOf } from '../../../../test/imaging/tiff-fixture.ts';
import { createTiffWriter, type PixelBox, type Pixels, type TiffPicture } from './tiff-write.ts';

const folder = temporaryFolder();

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
    const { big, directories } = parseTiff(bytes);
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
    const { directories } = parseTiff(bytes);
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
    const { big, directories } = parseTiff(bytes);
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
    await writer.eachRowOfTiles((_, __, pixels) => void found.push(...pixels));
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
