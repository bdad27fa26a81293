import { expect, it } from 'vitest';
import type { Shape3 } from '../volume/volume.ts';
import { prepareAsNnunet } from './nnunet-case.ts';

it('takes z-scores over what is not 0 in some channel, with the holes of all channels together filled', () => {
  const shape: Shape3 = [5, 5, 5];
  const at = (k: number, j: number, i: number): number => (k * 5 + j) * 5 + i;
  // A block of ones and threes with a hole in its middle, and a corner of the volume that a channel has numbers in.
  const first = new Float32Array(125);
  const second = new Float32Array(125);
  for (let k = 1; k < 4; k++)
    for (let j = 1; j < 4; j++) for (let i = 1; i < 4; i++) first[at(k, j, i)] = i === 2 ? 3 : 1;
  first[at(2, 2, 2)] = 0;
  second[at(0, 0, 0)] = 8;
  second[at(4, 4, 4)] = -8;
  const { image, box } = prepareAsNnunet([first, second], shape, [1, 1, 1], {
    spacing: [1, 1, 1],
    resampling: { order: 3, orderAcross: 0 },
    normalizations: [{ kind: 'zscore', nonZero: true }, { kind: 'none' }],
  });
  expect(box).toEqual({ start: [0, 0, 0], end: shape });
  // The block, its hole and the two corners: 29 voxels.
  const inside = Array.from(first, (value, n) => ({ value, n })).filter(
    ({ value, n }) => value !== 0 || n === at(2, 2, 2) || n === at(0, 0, 0) || n === at(4, 4, 4),
  );
  expect(inside.length).toBe(29);
  const mean = inside.reduce((s, { value }) => s + value, 0) / 29;
  const deviation = Math.sqrt(inside.reduce((s, { value }) => s + (value - mean) ** 2, 0) / 29);
  const expected = new Float32Array(125);
  for (const { value, n } of inside) expected[n] = (value - mean) / deviation;
  for (let n = 0; n < 125; n++) expect(image[n]).toBeCloseTo(expected[n], 5);
  expect(image[at(2, 2, 2)]).toBeLessThan(0);
});
