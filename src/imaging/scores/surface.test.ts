import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Shape3 } from '../volume/volume.ts';
import { countLesions, type LesionCounts, type LesionOptions } from './metrics-lesions.ts';
import { type SurfaceScores, surfaceScores } from './surface.ts';
import { cellAreas } from './surface-cells.ts';

interface Fixture {
  readonly name: string;
  readonly shape: Shape3;
  readonly spacing: Shape3;
  readonly tolerance: number;
  readonly truth: string;
  readonly prediction: string;
  readonly surface: Readonly<Record<string, SurfaceScores>>;
  readonly lesions: readonly (LesionCounts & Omit<LesionOptions, 'label'>)[];
}

const fixtures: readonly Fixture[] = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/metrics.json', import.meta.url), 'utf8'),
);
const digits = (text: string): Uint8Array => Uint8Array.from(text, Number);

/** A volume of 0 and 1. */
function draw(shape: Shape3, inside: (k: number, j: number, i: number) => boolean): Uint8Array {
  const [d, h, w] = shape;
  return Uint8Array.from({ length: d * h * w }, (_, n) =>
    inside(Math.floor(n / (h * w)), Math.floor(n / w) % h, n % w) ? 1 : 0,
  );
}

const voxels =
  (...places: readonly (readonly number[])[]) =>
  (...at: readonly number[]) =>
    places.some((place) => place.every((n, axis) => n === at[axis]));

function expectClose(found: SurfaceScores, expected: SurfaceScores, name: string): void {
  for (const [key, value] of Object.entries(expected)) {
    const score = found[key as keyof SurfaceScores];
    if (value === null || score === null) expect(score, `${name} ${key}`).toBe(value);
    else expect(Math.abs(score - value), `${name} ${key}: ${score}, ${value}`).toBeLessThan(1e-9);
  }
}

describe('surfaceScores and countLesions', () => {
  it.each(fixtures)('agree with SciPy on $name', (fixture) => {
    const { name, shape, spacing, tolerance, surface } = fixture;
    const [truth, prediction] = [digits(fixture.truth), digits(fixture.prediction)];
    for (const [label, expected] of Object.entries(surface))
      expectClose(
        surfaceScores(truth, prediction, shape, spacing, { label: Number(label), tolerance }),
        expected,
        `${name} ${label}`,
      );
    for (const { connectivity, iou, ...counts } of fixture.lesions)
      expect(countLesions(truth, prediction, shape, { label: 2, connectivity, iou })).toEqual(counts);
  });
});

describe('surfaceScores', () => {
  const scores = (truth: Uint8Array, prediction: Uint8Array, shape: Shape3, spacing: Shape3, tolerance = 1) =>
    surfaceScores(truth, prediction, shape, spacing, { label: 1, tolerance });

  it('gives the distance between two voxels, on voxels of any shape', () => {
    const shape: Shape3 = [12, 12, 12];
    const a = draw(shape, voxels([5, 6, 7]));
    const b = draw(shape, voxels([5, 6, 9]));
    // Half of either surface is shared or a step away; the outer half of each is two steps of 1 mm away.
    expectClose(
      scores(a, b, shape, [3, 2, 1]),
      {
        hausdorff: 2,
        hausdorff95: 2,
        meanToTruth: 1.5,
        meanToPrediction: 1.5,
        meanSurfaceDistance: 1.5,
        surfaceDice: 0.5,
      },
      'along the width',
    );
    const c = draw(shape, voxels([7, 6, 7]));
    expect(scores(a, c, shape, [3, 2, 1]).hausdorff).toBe(6);
    expect(scores(a, a, shape, [3, 2, 1])).toMatchObject({
      hausdorff: 0,
      surfaceDice: 1,
      meanSurfaceDistance: 0,
    });
  });

  it('gives what is published for two half spaces of which one is a slice thicker', () => {
    const shape: Shape3 = [100, 100, 100];
    const part = (slices: number) => new Uint8Array(1e6).fill(1, 0, slices * 1e4);
    const found = scores(part(50), part(51), shape, [2, 1, 1]);
    // The values in the tests of github.com/google-deepmind/surface-distance, to their three digits.
    expect(found.hausdorff).toBe(2);
    expect(found.hausdorff95).toBe(2);
    expect(found.meanToPrediction!.toFixed(3)).toBe('0.322');
    expect(found.meanToTruth!.toFixed(3)).toBe('0.339');
    expect(found.surfaceDice!.toFixed(3)).toBe('0.836');
  });

  it('gives the shift of a shifted box', () => {
    const shape: Shape3 = [20, 20, 20];
    const box = (k: number, j: number, i: number) =>
      draw(shape, (z, y, x) => z >= k && z < k + 6 && y >= j && y < j + 7 && x >= i && x < i + 5);
    const spacing: Shape3 = [2.5, 0.8, 1.5];
    const at = box(5, 5, 5);
    expect(scores(at, box(8, 5, 5), shape, spacing).hausdorff).toBeCloseTo(7.5, 12);
    expect(scores(at, box(5, 1, 5), shape, spacing).hausdorff).toBeCloseTo(3.2, 12);
    // Corners are farthest.
    expect(scores(at, box(6, 7, 9), shape, spacing).hausdorff).toBeCloseTo(Math.hypot(2.5, 1.6, 6), 12);
    const moved = scores(at, box(5, 5, 6), shape, spacing, 1.5);
    expect(moved.surfaceDice).toBe(1);
    expect(scores(at, box(5, 5, 6), shape, spacing, 1.4).surfaceDice).toBeLessThan(1);
  });

  it('gives the gap between two balls, with voxels of any shape', () => {
    const shape: Shape3 = [21, 41, 61];
    const spacing: Shape3 = [1.5, 0.75, 0.5];
    const ball = (radius: number) =>
      draw(shape, (z, y, x) => Math.hypot((z - 10) * 1.5, (y - 20) * 0.75, (x - 30) * 0.5) <= radius);
    const found = scores(ball(12), ball(9), shape, spacing, 1.4);
    // Elements are as thick as a voxel, so distances come out short by a part of one.
    expect(3 - found.meanSurfaceDistance!).toBeLessThan(0.5);
    expect(3 - found.meanSurfaceDistance!).toBeGreaterThan(0);
    expect(Math.abs(found.hausdorff95! - 3)).toBeLessThan(0.75);
    expect(found.hausdorff! - 3).toBeLessThan(1.5);
    expect(found.surfaceDice).toBe(0);
    expect(scores(ball(12), ball(9), shape, spacing, 4.5).surfaceDice).toBe(1);
  });

  it('defines empty classes', () => {
    const shape: Shape3 = [4, 4, 4];
    const [none, some] = [new Uint8Array(64), draw(shape, voxels([1, 1, 1]))];
    const nothing = scores(none, none, shape, [1, 1, 1]);
    expect(Object.values(nothing)).toEqual([null, null, null, null, null, null]);
    for (const one of [scores(none, some, shape, [1, 1, 1]), scores(some, none, shape, [1, 1, 1])])
      expect(one).toEqual({ ...nothing, surfaceDice: 0 });
    const full = new Uint8Array(64).fill(1);
    expect(scores(full, full, shape, [1, 1, 1])).toMatchObject({ hausdorff: 0, surfaceDice: 1 });
  });

  it('is the same the other way round and however the volume lies', () => {
    const shape: Shape3 = [4, 5, 6];
    const map = fc.array(fc.nat(1), { minLength: 120, maxLength: 120 }).map((bits) => Uint8Array.from(bits));
    const turned = (labels: Uint8Array) =>
      Uint8Array.from({ length: 120 }, (_, n) => {
        const [i, k, j] = [Math.floor(n / 20), Math.floor(n / 5) % 4, n % 5];
        return labels[(k * 5 + (4 - j)) * 6 + i];
      });
    fc.assert(
      fc.property(map, map, (a, b) => {
        const there = scores(a, b, shape, [1.3, 0.7, 2]);
        const back = scores(b, a, shape, [1.3, 0.7, 2]);
        const swapped = { ...back, meanToTruth: back.meanToPrediction, meanToPrediction: back.meanToTruth };
        expectClose(there, swapped, 'swapped');
        expectClose(scores(turned(a), turned(b), [6, 4, 5], [2, 1.3, 0.7]), there, 'turned');
      }),
      { numRuns: 50 },
    );
  });

  it('refuses what does not fit', () => {
    expect(() => scores(new Uint8Array(7), new Uint8Array(8), [2, 2, 2], [1, 1, 1])).toThrow(
      'truth: expected 8',
    );
    expect(() => scores(new Uint8Array(8), new Uint8Array(8), [2, 2, 2], [1, 1, -1])).toThrow('spacing');
    expect(() => scores(new Uint8Array(8), new Uint8Array(8), [2, 2, 2], [1, 1, 1], -1)).toThrow('tolerance');
  });
});

describe('cellAreas', () => {
  it('gives whole surfaces: planes exactly, a voxel as an octahedron', () => {
    const areas = cellAreas([3, 2, 5]);
    expect([areas[0], areas[255]]).toEqual([0, 0]);
    // The lower four corners inside: the plane between height and width.
    expect(areas[0b00001111]).toBeCloseTo(10, 12);
    expect(areas[0b00110011]).toBeCloseTo(15, 12);
    expect(areas[0b01010101]).toBeCloseTo(6, 12);
    expect(areas[0b00000001]).toBeCloseTo(Math.hypot(10, 15, 6) / 8, 12);
    for (let code = 0; code < 256; code++) expect(areas[code]).toBeCloseTo(areas[255 - code], 12);
  });
});
