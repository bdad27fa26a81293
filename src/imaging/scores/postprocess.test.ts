import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { DistanceMap } from './distance.ts';
import { type PostprocessOptions, postprocess } from './postprocess.ts';

/** A slice drawn in rows: `.` is 0; slices of a volume are separated by an empty row. */
function volume(...slices: string[]): { labels: Uint8Array; shape: Shape3 } {
  const rows = slices.map((slice) => slice.trim().split(/\s+/));
  const text = rows.flat().join('').replaceAll('.', '0');
  return { labels: Uint8Array.from(text, Number), shape: [rows.length, rows[0].length, rows[0][0].length] };
}

/** The middle slice of a slice that lies between two empty ones, after post-processing. */
function middle(
  slice: string,
  options: PostprocessOptions,
  spacing: Shape3 = [1, 1, 1],
  lid = '.',
): string[] {
  const cover = slice.replace(/\S/g, lid);
  const { labels, shape } = volume(cover, slice, cover);
  const before = Uint8Array.from(labels);
  const out = postprocess(labels, shape, spacing, options);
  expect(labels).toEqual(before);
  const text = Array.from(out.subarray(shape[1] * shape[2], 2 * shape[1] * shape[2]), (v) =>
    v ? v : '.',
  ).join('');
  return Array.from({ length: shape[1] }, (_, j) => text.slice(j * shape[2], (j + 1) * shape[2]));
}

describe('postprocess', () => {
  it('keeps the largest part of a class or region', () => {
    const slice = '11..2 112.2 ....2 1....';
    expect(middle(slice, { largest: [1] })).toEqual(['11..2', '112.2', '....2', '.....']);
    expect(middle(slice, { largest: [2] })).toEqual(['11..2', '11..2', '....2', '1....']);
    expect(middle(slice, { largest: [[1, 2]] })).toEqual(['11...', '112..', '.....', '.....']);
    // The corner joins at 26, not at 6; of two as large the first stays.
    expect(middle('11. ..1 ...', { largest: [1] })).toEqual(['11.', '..1', '...']);
    expect(middle('1.. .1. ...', { largest: [1], connectivity: 6 })).toEqual(['1..', '...', '...']);
  });

  it('fills holes with the class that most of their faces touch, and only those that are closed in all directions', () => {
    const ring = '11111 1...1 1.2.1 11111';
    // Open above and below.
    expect(middle(ring, { fillHoles: [1] })).toEqual(ring.split(' '));
    const filled = (options: PostprocessOptions) => {
      const { labels, shape } = volume('11111 11111 11111 11111', ring, '11111 11111 11111 11111');
      const out = postprocess(labels, shape, [1, 1, 1], options);
      return Array.from({ length: 4 }, (_, j) => out.slice(20 + 5 * j, 25 + 5 * j).join(''));
    };
    expect(filled({ fillHoles: [1] })).toEqual(['11111', '11111', '11211', '11111']);
    expect(filled({ fillHoles: [2] })).toEqual(['11111', '12221', '12221', '11111']);
    expect(filled({ fillHoles: [1, 2] })).toEqual(['11111', '11111', '11211', '11111']);
    expect(filled({ fillHoles: [3] })).toEqual(['11111', '10001', '10201', '11111']);
    expect(filled({ fillHoles: [] })).toEqual(['11111', '10001', '10201', '11111']);
  });

  it('keeps lesions that touch their organ whole, and removes the others', () => {
    const slice = '1122.. 11.2.. .....2 2.....';
    expect(middle(slice, { inside: [{ lesion: 2, organ: 1 }] })).toEqual([
      '1122..',
      '11.2..',
      '......',
      '......',
    ]);
    // By voxel: those within 1 mm of the organ; all voxels here are 1 mm apart along the width.
    const strict = { inside: [{ lesion: 2, organ: 1, rule: 'voxels' as const }] };
    expect(middle(slice, strict)).toEqual(['11....', '11....', '......', '......']);
    const near = { inside: [{ lesion: 2, organ: 1, rule: 'voxels' as const, margin: 1 }] };
    expect(middle(slice, near)).toEqual(['112...', '11....', '......', '......']);
    expect(middle(slice, near, [1, 1, 0.4])).toEqual(['1122..', '11.2..', '......', '......']);
    // A gap of one voxel: apart at 0 mm, near at 2 mm, and a corner touches.
    const gap = '1.22 ....';
    expect(middle(gap, { inside: [{ lesion: 2, organ: 1 }] })).toEqual(['1...', '....']);
    expect(middle(gap, { inside: [{ lesion: 2, organ: 1, margin: 2 }] })).toEqual(['1.22', '....']);
    expect(middle('1... .22.', { inside: [{ lesion: 2, organ: 1 }] })).toEqual(['1...', '.22.']);
    expect(middle('2222 ....', { inside: [{ lesion: 2, organ: 1 }] })).toEqual(['....', '....']);
  });

  it('keeps what the organ encloses, under the strict rule and across a gap', () => {
    const slice = '11111 1...1 1.2.1 1...1 11111';
    const { labels, shape } = volume(slice.replace(/\S/g, '1'), slice, slice.replace(/\S/g, '1'));
    const inside = [{ lesion: 2, organ: 1, rule: 'voxels' as const }];
    expect(postprocess(labels, shape, [1, 1, 1], { inside })).toEqual(labels);
    expect(postprocess(labels, shape, [1, 1, 1], { inside: [{ lesion: 2, organ: 1 }] })).toEqual(labels);
    expect(middle(slice, { inside })[2]).toBe('1...1');
  });

  it('gives parts that are too small to what surrounds them', () => {
    const slice = '11111. 12221. 111112 222...';
    expect(middle(slice, { minimumSize: [{ label: 2, voxels: 4 }] }, [1, 1, 1], '1')).toEqual([
      '11111.',
      '11111.',
      // As many faces to both: the lower one.
      '11111.',
      '111...',
    ]);
    expect(middle('11.2 11.2', { minimumSize: [{ label: 2, voxels: 3 }] })).toEqual(['11..', '11..']);
    // 2 voxels of 0.1 x 1 x 1.5 mm are 0.3 mm^3, not less.
    const two = '11.2 11.2';
    expect(middle(two, { minimumSize: [{ label: 2, volume: 0.3 }] }, [0.1, 1, 1.5])).toEqual([
      '11.2',
      '11.2',
    ]);
    expect(middle(two, { minimumSize: [{ label: 2, volume: 0.31 }] }, [0.1, 1, 1.5])).toEqual([
      '11..',
      '11..',
    ]);
  });

  it('does steps in their order: the lesion of a part that goes goes too', () => {
    const slice = '111..1 111..1 11...2 ......';
    const options: PostprocessOptions = { largest: [1], inside: [{ lesion: 2, organ: 1 }] };
    expect(middle(slice, options)).toEqual(['111...', '111...', '11....', '......']);
  });

  it('refuses what means nothing', () => {
    const run = (options: PostprocessOptions, spacing: Shape3 = [1, 1, 1]) =>
      postprocess(new Uint8Array(8), [2, 2, 2], spacing, options);
    expect(run({})).toEqual(new Uint8Array(8));
    expect(run({ largest: [1], minimumSize: [{ label: 1, voxels: 3 }] })).toEqual(new Uint8Array(8));
    expect(() => run({ largest: [0] })).toThrow(
      'post-processing: largest: expected classes above 0, found 0',
    );
    expect(() => run({ largest: [[]] })).toThrow('found none');
    expect(() => run({ inside: [{ lesion: 1, organ: 1 }] })).toThrow('different classes');
    expect(() => run({ inside: [{ lesion: 1, organ: 2, margin: -1 }] })).toThrow('at least 0, found -1');
    expect(() => run({ minimumSize: [{ label: 1 }] })).toThrow('one of them, found neither');
    expect(() => run({ minimumSize: [{ label: 1, voxels: Number.NaN }] })).toThrow('found NaN');
    expect(() => run({}, [1, 0, 1])).toThrow('spacing: expected three positive numbers');
    expect(() => postprocess(new Uint8Array(7), [2, 2, 2], [1, 1, 1], {})).toThrow('expected 8 voxels');
  });
});

describe('DistanceMap', () => {
  const mm = fc.integer({ min: 1, max: 60 }).map((n) => n / 10);
  const grids = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 9 }))
    .chain((shape) =>
      fc.record({
        shape: fc.constant<Shape3>(shape),
        spacing: fc.tuple(mm, mm, mm),
        set: fc.array(
          fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
          {
            minLength: voxelCount(shape),
            maxLength: voxelCount(shape),
          },
        ),
      }),
    );

  it('gives the distance to the nearest voxel of the set, as brute force does', () => {
    fc.assert(
      fc.property(grids, ({ shape, spacing, set }) => {
        const [d, h, w] = shape;
        const map = new DistanceMap(shape, spacing, (k, flags) => {
          for (let n = 0; n < h * w; n++) if (set[k * h * w + n]) flags[n] = 1;
        });
        const index = (n: number) => [Math.floor(n / (h * w)), Math.floor(n / w) % h, n % w];
        for (let n = 0; n < d * h * w; n++) {
          const here = index(n);
          let nearest = Number.POSITIVE_INFINITY;
          set.forEach((member, m) => {
            if (!member) return;
            const square = index(m).reduce(
              (sum, at, axis) => sum + ((at - here[axis]) * spacing[axis]) ** 2,
              0,
            );
            nearest = Math.min(nearest, square);
          });
          const found = map.squaredRow(here[0], here[1])[here[2]];
          if (nearest === Number.POSITIVE_INFINITY) expect(found).toBe(nearest);
          else expect(Math.abs(found - nearest)).toBeLessThanOrEqual(1e-12 * nearest);
        }
      }),
      { numRuns: 200 },
    );
  });
});
