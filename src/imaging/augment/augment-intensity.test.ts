import { describe, expect, it } from 'vitest';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { wholeBox } from '../volume/voxel-source.ts';
import type { Changes } from './augment-draw.ts';
import { changeIntensities, corruptionMask } from './augment-intensity.ts';

function changed(
  image: readonly number[],
  changes: Partial<Changes>,
  labels?: readonly number[],
  shape: Shape3 = [1, 1, image.length],
): number[] {
  const voxels = {
    box: wholeBox(shape),
    image: Float32Array.from(image),
    labels: labels && Uint8Array.from(labels),
  };
  changeIntensities(voxels, shape, { organ: 1, lesion: 2, noises: [], ...changes });
  return [...voxels.image];
}

const close = (found: readonly number[], expected: readonly number[], digits = 6) => {
  expect(found.length).toBe(expected.length);
  for (const [n, value] of expected.entries()) expect(found[n]).toBeCloseTo(value, digits);
};

describe('changeIntensities', () => {
  it('multiplies lesions and the rest by factors of their own', () => {
    const classFactors = { lesion: 0.5, rest: 1.2 };
    close(changed([0.5, 0.5, 0.5, 0.9], { classFactors }, [0, 1, 2, 1]), [0.6, 0.6, 0.25, 1]);
    close(changed([0.5, 0.5], { classFactors }), [0.6, 0.6]);
  });

  it('raises values to a power', () => {
    for (const gamma of [0.5, 1, 2.2]) {
      const values = [0, 0.1, 0.25, 0.5, 0.77777, 1];
      close(
        changed(values, { gamma }),
        values.map((value) => value ** gamma),
        4,
      );
    }
  });

  it('scales, shifts and clips', () => {
    close(changed([0, 0.5, 1], { gain: { scale: 0.8, shift: 0.3 } }), [0.3, 0.7, 1]);
    close(changed([0, 0.5, 1], { gain: { scale: 1, shift: -0.6 } }), [0, 0, 0.4]);
  });

  it('adds noise of the deviation that is asked for, in grains', () => {
    const shape: Shape3 = [40, 40, 40];
    const grey = new Array(voxelCount(shape)).fill(0.5);
    const spread = (grain: number) => {
      const noise = changed(grey, { noises: [{ grain, deviation: 0.05, key: 3 }] }, undefined, shape).map(
        (value) => value - 0.5,
      );
      const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
      const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
      const neighbours = noise.reduce((sum, value, n) => sum + value * (noise[n + 1] ?? 0), 0);
      return { mean, deviation: Math.sqrt(variance), alike: neighbours / noise.length / variance };
    };
    const fine = spread(1);
    expect(Math.abs(fine.mean)).toBeLessThan(0.001);
    expect(Math.abs(fine.deviation - 0.05)).toBeLessThan(0.001);
    expect(Math.abs(fine.alike)).toBeLessThan(0.02);
    const grainy = spread(4);
    expect(grainy.alike).toBeGreaterThan(0.8);
    expect(grainy.deviation).toBeLessThan(0.05);
    expect(grainy.deviation).toBeGreaterThan(0.02);
  });
});

describe('corruption', () => {
  const shape: Shape3 = [20, 17, 32];

  it.each([0, 0.1, 0.33, 1])('blanks a share of %f, but no lesion', (share) => {
    const all = new Array(voxelCount(shape)).fill(0.5);
    const corruption = { share, key: 11 };
    const blanked = changed(all, { corruption }, undefined, shape).filter((value) => value === 0);
    expect(blanked.length).toBe(Math.round(share * all.length));
    const labels = all.map((_, n) => (n % 3 === 0 ? 2 : 0));
    const kept = changed(all, { corruption }, labels, shape);
    expect(kept.every((value, n) => value === 0.5 || labels[n] !== 2)).toBe(true);
    const rest = labels.filter((label) => label !== 2).length;
    const blank = kept.filter((value) => value === 0).length;
    expect(Math.abs(blank / rest - share)).toBeLessThan(0.01);
  });

  it('is about exact in volumes whose share is counted at some voxels only', () => {
    const large: Shape3 = [70, 50, 91];
    const all = new Array(voxelCount(large)).fill(0.5);
    const blank = changed(all, { corruption: { share: 0.3, key: 2 } }, undefined, large);
    expect(Math.abs(blank.filter((value) => value === 0).length / all.length - 0.3)).toBeLessThan(0.01);
  });

  it('is smooth: its blanks hang together', () => {
    const all = new Array(voxelCount(shape)).fill(0.5);
    const out = changed(all, { corruption: { share: 0.4, key: 4 } }, undefined, shape);
    let edges = 0;
    for (let n = 1; n < out.length; n++) if (n % 32 !== 0 && out[n] !== out[n - 1]) edges++;
    // Rows cross a border of the mask once or twice, not at every voxel.
    expect(edges / (20 * 17)).toBeLessThan(2);
    expect(corruptionMask({ share: 0.4, key: 4 }, shape).field.lattice.shape).toEqual([6, 6, 6]);
  });
});
