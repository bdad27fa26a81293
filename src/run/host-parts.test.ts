import { describe, expect, it } from 'vitest';
import { type Box, forEachIndex, rowMajorStrides, shape } from '../core/index.ts';
import { referenceDevice } from '../machine/index.ts';
import { writePart } from './host-parts.ts';

const box = (...ranges: readonly (readonly [number, number])[]): Box =>
  ranges.map(([start, end]) => ({ start, end }));

describe('writePart', () => {
  it('writes what stands in the box of a whole array, however the box is cut', async () => {
    const dims = shape({ batch: 2, depth: 3, height: 4, width: 5 });
    const whole = Float32Array.from({ length: 120 }, (_, n) => n);
    const strides = rowMajorStrides(dims.map((dim) => dim.size));
    for (const part of [
      box([0, 2], [0, 3], [0, 4], [0, 5]),
      box([1, 2], [0, 3], [0, 4], [0, 5]),
      box([0, 2], [1, 2], [0, 4], [2, 5]),
      box([1, 2], [1, 3], [0, 4], [0, 5]),
      box([0, 1], [2, 3], [1, 2], [1, 4]),
      box([0, 2], [1, 3], [1, 3], [0, 5]),
      box([1, 2], [1, 3], [2, 2], [0, 5]),
      box([1, 2], [1, 3], [0, 4], [3, 3]),
    ]) {
      const device = referenceDevice();
      const type = { shape: dims, dtype: 'f32' } as const;
      const stored = { ...type, format: device.target.plain(type) };
      const tensor = device.tensor(device.allocate(0), 0, stored, part);
      writePart(device, tensor, part, whole);
      const expected: number[] = [];
      forEachIndex(part, (index) => {
        expected.push(index.reduce((sum, x, i) => sum + x * strides[i], 0));
      });
      expect([...(await device.download(tensor, part))]).toEqual(expected);
    }
  });
});
