import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { type Connectivity, connectedComponents, holes, labelSet, labelsAround } from './components.ts';

/** Small label maps of classes 0 to 2. */
const maps = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }))
  .chain((shape) =>
    fc.record({
      shape: fc.constant<Shape3>(shape),
      labels: fc
        .array(fc.nat(2), { minLength: voxelCount(shape), maxLength: voxelCount(shape) })
        .map((values) => Uint8Array.from(values)),
    }),
  );
const connectivities = fc.constantFrom<Connectivity>(6, 18, 26);

/** The definition: flood fill, from the first voxel of each part on. */
function flood(labels: Uint8Array, [d, h, w]: Shape3, chosen: Uint8Array, connectivity: Connectivity) {
  const most = { 6: 1, 18: 2, 26: 3 }[connectivity];
  const parts = new Int32Array(labels.length).fill(-1);
  let count = 0;
  for (let seed = 0; seed < labels.length; seed++) {
    if (!chosen[labels[seed]] || parts[seed] >= 0) continue;
    const todo = [seed];
    parts[seed] = count;
    for (let n = todo.pop(); n !== undefined; n = todo.pop()) {
      const [k, j, i] = [Math.floor(n / (h * w)), Math.floor(n / w) % h, n % w];
      for (let a = -1; a <= 1; a++)
        for (let b = -1; b <= 1; b++)
          for (let c = -1; c <= 1; c++) {
            const [z, y, x] = [k + a, j + b, i + c];
            if (Math.abs(a) + Math.abs(b) + Math.abs(c) > most) continue;
            if (z < 0 || y < 0 || x < 0 || z >= d || y >= h || x >= w) continue;
            const m = (z * h + y) * w + x;
            if (!chosen[labels[m]] || parts[m] >= 0) continue;
            parts[m] = count;
            todo.push(m);
          }
    }
    count++;
  }
  return { parts, count };
}

describe('connectedComponents', () => {
  it('finds the parts that flood fill finds, in the same order', () => {
    fc.assert(
      fc.property(maps, connectivities, fc.constantFrom([1], [2], [1, 2], [0]), (map, joined, classes) => {
        const { shape, labels } = map;
        const expected = flood(labels, shape, labelSet(classes), joined);
        const found = connectedComponents(labels, shape, labelSet(classes), joined);
        const parts = new Int32Array(labels.length).fill(-1);
        for (let run = 0; run < found.part.length; run++)
          parts.fill(found.part[run], found.start[run], found.end[run]);
        expect(parts).toEqual(expected.parts);
        expect(found.count).toBe(expected.count);
        for (let part = 0; part < found.count; part++)
          expect(found.voxels[part]).toBe(parts.filter((p) => p === part).length);
      }),
      { numRuns: 400 },
    );
  });

  it('tells which parts reach the faces of the volume, and what is around them', () => {
    fc.assert(
      fc.property(maps, ({ shape, labels }) => {
        const [d, h, w] = shape;
        const found = connectedComponents(labels, shape, labelSet([1]), 6);
        const { parts } = flood(labels, shape, labelSet([1]), 6);
        const faces = Array.from({ length: found.count }, () => [0, 0, 0]);
        const reached = new Uint8Array(found.count);
        parts.forEach((part, n) => {
          if (part < 0) return;
          const [k, j, i] = [Math.floor(n / (h * w)), Math.floor(n / w) % h, n % w];
          for (const [a, b, c] of [
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
          ])
            for (const sign of [-1, 1]) {
              const [z, y, x] = [k + sign * a, j + sign * b, i + sign * c];
              const out = z < 0 || y < 0 || x < 0 || z >= d || y >= h || x >= w;
              if (out) reached[part] = 1;
              const label = out ? 0 : labels[(z * h + y) * w + x];
              if (label !== 1) faces[part][label]++;
            }
        });
        const { parts: same, isHole } = holes(labels, shape, labelSet([1]));
        expect(same).toEqual(found);
        expect(Array.from(reached, (_, part) => isHole(part))).toEqual(Array.from(reached, (r) => r === 0));
        const around = labelsAround(labels, found, () => true, labelSet([1], true));
        expect(around).toEqual(faces.map(([zero, , two]) => (two > zero ? 2 : zero > 0 ? 0 : undefined)));
      }),
    );
  });

  it('refuses labels of another size and classes that are none', () => {
    const labels = new Uint8Array(7);
    expect(() => connectedComponents(labels, [2, 2, 2], labelSet([1]), 6)).toThrow(
      'labels: expected 8 voxels for shape 2x2x2, found 7',
    );
    expect(() => labelSet([256])).toThrow('class: expected a whole number from 0 to 255');
  });
});
