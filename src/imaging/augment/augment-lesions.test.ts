import { describe, expect, it } from 'vitest';
import { augment } from '../../../test/imaging/augment-fixture.ts';
import { ClassCounter } from '../volume/class-counter.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { type VoxelSource, wholeBox } from '../volume/voxel-source.ts';
import { cellsOf, countLabels, emptyCells, paintLesions, planLesions } from './augment-lesions.ts';

const size = 64;
const shape: Shape3 = [size, size, size];
const at = (n: number) => [Math.floor(n / size ** 2), Math.floor(n / size) % size, n % size];
const distance = (n: number, centre: readonly number[]) => Math.hypot(...at(n).map((x, a) => x - centre[a]));

/** A liver of 0.6, a ball of radius 20, with two lesions of 0.5 in it, on 0.3. */
const labels = Uint8Array.from({ length: size ** 3 }, (_, n) => {
  if (distance(n, [30, 30, 25]) < 6 || distance(n, [30, 38, 38]) < 4) return 2;
  return distance(n, [32, 32, 32]) < 20 ? 1 : 0;
});
const image = Float32Array.from(labels, (label) => [0.3, 0.6, 0.5][label]);
const sample = { image, labels, shape };
const config = { fakeLesions: { probability: 1 } };
const made = (step: number) => augment(sample, config, { seed: 0, caseIndex: 0, step });

const mean = (data: Float32Array, of: (n: number) => boolean): number => {
  const chosen = data.filter((_, n) => of(n));
  return chosen.reduce((sum, value) => sum + value, 0) / chosen.length;
};

describe('fake lesions', () => {
  it('cover 5 to 25 % of the liver and take nothing from outside of it', async () => {
    for (let step = 0; step < 8; step++) {
      const out = await made(step);
      const lesion = out.labels!.filter((label) => label === 2).length;
      const share = lesion / labels.filter((label) => label > 0).length;
      expect(share).toBeGreaterThanOrEqual(0.05);
      expect(share).toBeLessThanOrEqual(0.25);
      let apart = 0;
      for (let n = 0; n < labels.length; n++) if (out.labels![n] > 0 !== labels[n] > 0) apart++;
      expect(apart).toBe(0);
    }
  });

  it('are as dark as real ones, which become as bright as the liver', async () => {
    for (let step = 0; step < 3; step++) {
      const out = await made(step);
      const real = mean(out.image, (n) => labels[n] === 2 && out.labels![n] === 1);
      expect(Math.abs(real - 0.6)).toBeLessThan(0.02);
      const fake = mean(out.image, (n) => out.labels![n] === 2);
      expect(fake).toBeGreaterThan(0.49);
      expect(fake).toBeLessThan(0.55);
      const rest = mean(out.image, (n) => out.labels![n] === 1 && labels[n] === 1);
      expect(Math.abs(rest - 0.6)).toBeLessThan(0.02);
    }
  });

  it('leave everything far from the liver as it is', async () => {
    const out = await made(1);
    const changed = out.image.findIndex((value, n) => value !== image[n] && distance(n, [32, 32, 32]) > 24);
    expect(changed).toBe(-1);
  });

  it('lie elsewhere for another key', async () => {
    expect((await made(1)).labels).not.toEqual((await made(2)).labels);
  });

  it.each<[string, (label: number) => number, (label: number) => number]>([
    ['there is no lesion', (label) => Math.min(label, 1), (label) => [0.3, 0.6, 0.5][label]],
    ['there is no liver', (label) => (label === 1 ? 0 : label), (label) => [0.3, 0.6, 0.5][label]],
    ['lesions are brighter', (label) => label, (label) => [0.3, 0.6, 0.7][label]],
    ['lesions are as bright', (label) => label, (label) => [0.3, 0.5, 0.5][label]],
  ])('are left out where %s', async (_, change, brightness) => {
    const other = { image: Float32Array.from(labels, brightness), labels: labels.map(change), shape };
    const found = await augment(other, config, { seed: 0, caseIndex: 0, step: 0 });
    expect(found.image).toBe(other.image);
    expect(found.labels).toBe(other.labels);
  });
});

describe('OrganCells', () => {
  it('count what lies in each cell, the same from any boxes', () => {
    const odd: Shape3 = [130, 3, 70];
    const drawn = Uint8Array.from({ length: voxelCount(odd) }, (_, n) => (n * 7) % 4);
    const cells = emptyCells(odd);
    expect(cells.size).toEqual([2, 1, 1]);
    expect(cells.cells).toEqual([65, 3, 70]);
    countLabels(cells, drawn, wholeBox(odd), 1, 2);
    // Cell (0, 0, 0) holds voxels 0 (label 0) and 210 (label 1470 % 4 = 2).
    expect([cells.organ[0], cells.lesion[0]]).toEqual([1, 1]);
    expect(cells.organ.reduce((a, b) => a + b)).toBe(drawn.filter((v) => v === 1 || v === 2).length);
    const parts = emptyCells(odd);
    for (const [from, to] of [
      [0, 1],
      [1, 77],
      [77, 130],
    ])
      countLabels(parts, drawn.slice(from * 210, to * 210), { start: [from, 0, 0], end: [to, 3, 70] }, 1, 2);
    expect(parts).toEqual(cells);
  });

  it('are read again from a source whose reading failed', async () => {
    let calls = 0;
    const source: VoxelSource = {
      id: 'a',
      shape: [2, 2, 2],
      image: async () => new Float32Array(8),
      labels: async () => {
        if (calls++ === 0) throw new Error('gone');
        return new Uint8Array(8).fill(1);
      },
    };
    await expect(cellsOf(source, 1, 2)).rejects.toThrow('gone');
    expect((await cellsOf(source, 1, 2)).organ).toEqual(new Uint32Array(8).fill(1));
    await cellsOf(source, 1, 2);
    expect(calls).toBe(2);
  });
});

describe('paintLesions', () => {
  it('keeps values in the range that it is given', () => {
    const cells = emptyCells(shape);
    countLabels(cells, labels, wholeBox(shape), 1, 2);
    const counter = new ClassCounter();
    counter.add(image, labels);
    const plan = planLesions(cells, counter.facts(), { organ: 1, lesion: 2, key: 5 });
    const changed = { box: wholeBox(shape), image: image.slice(), labels: labels.slice() };
    paintLesions(changed, plan!, 0.3, 0.6);
    expect(Math.max(...new Set(changed.image))).toBeCloseTo(0.6, 6);
    expect(Math.min(...new Set(changed.image))).toBeCloseTo(0.3, 6);
  });
});
