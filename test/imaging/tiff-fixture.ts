import { inflateSync } from 'node:zlib';
import { expect } from 'vitest';

/** A directory of a file, read entry by entry. */
export interface TiffDirectory {
  readonly tags: ReadonlyMap<number, readonly number[]>;
}

/** The directories of a little-endian TIFF or BigTIFF, and its pixels of one of them. */
export function parseTiff(bytes: Buffer): { big: boolean; directories: TiffDirectory[] } {
  expect(bytes.toString('latin1', 0, 2)).toBe('II');
  const big = bytes.readUInt16LE(2) === 43;
  const offset = (at: number) => (big ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const sizes: Record<number, number> = { 2: 1, 3: 2, 4: 4, 5: 8, 16: 8 };
  const directories: TiffDirectory[] = [];
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

/** The pixels of a level, sample by sample. */
export function pixelsOf(bytes: Buffer, { tags }: TiffDirectory): number[] {
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
