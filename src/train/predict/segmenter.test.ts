import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mesh, uniform } from '../../core/index.ts';
import {
  boxShape,
  putBox,
  type Shape3,
  takeBox,
  type VoxelBox,
  type VoxelSource,
  voxelCount,
  writePhantom,
} from '../../imaging/index.ts';
import { CPU_TARGET } from '../../machine/index.ts';
import { makePlan, predictPeak } from '../../plan/index.ts';
import { resolveConfig } from '../config/config.ts';
import { predictionGraph } from '../config/model.ts';
import { train } from '../loop/train.ts';
import { blocksWithin, cutInto, refusesBlocks } from './blocks.ts';
import { addFlipped, type Flip, type FlipAxis, flipBox, flipNumbers, flipsOf } from './flips.ts';
import { openRun, type RunOptions } from './open-run.ts';
import type { SegmentedPart, SegmentOptions } from './segmenter.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-segment-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const common = { base: 4, levels: 2, steps: 1, threads: 1, data: path.join(folder, 'data') };
const config = (out: string, settings: object = {}) =>
  resolveConfig({
    ...common,
    out: path.join(folder, out),
    classes: ['background', 'liver', 'tumour'],
    ...settings,
  });

beforeAll(async () => {
  await writePhantom({ out: common.data, size: [12, 12, 12], cases: 1 });
  await train(config('batch'));
  await train(config('instance', { norm: 'instance', base: 2 }));
});

const SHAPE: Shape3 = [29, 20, 18];
const numbers = Float32Array.from({ length: voxelCount(SHAPE) }, (_, i) => uniform(1, 2, 3, i));

/** Remembers the boxes that were read. */
function source(): VoxelSource & { readonly read: VoxelBox[] } {
  const read: VoxelBox[] = [];
  return {
    ...{ id: 'scan', shape: SHAPE, read },
    image: async (box) => {
      read.push(box);
      return takeBox(numbers, SHAPE, box);
    },
    labels: () => Promise.reject(new Error('a scan has no labels')),
  };
}

/** Labels and probabilities of the whole volume, and the parts that they came in. */
async function segment(options: Omit<RunOptions, 'run'> & { run?: string }, settings: SegmentOptions = {}) {
  const run = await openRun({ ...options, run: path.join(folder, options.run ?? 'batch') });
  const labels = new Uint8Array(voxelCount(SHAPE));
  const soft = [0, 1, 2].map(() => new Float32Array(labels.length));
  const parts: SegmentedPart[] = [];
  try {
    await run.segmentParts(source(), settings, (part) => {
      parts.push(part);
      putBox(labels, SHAPE, part.box, part.labels);
      const { probabilities: p } = part;
      if (p)
        for (const [c, to] of soft.entries())
          putBox(
            to,
            SHAPE,
            part.box,
            p.filter((_, i) => i % 3 === c),
          );
    });
  } finally {
    run.free();
  }
  return { labels, soft, parts };
}

/** A limit that leaves the tensors a share of what one pass over the volume takes. */
function limitOf(share: number, probabilities = false): number {
  const { graph } = predictionGraph(config('batch'), 3, SHAPE, probabilities);
  const plan = makePlan(graph, mesh({}), {}, CPU_TARGET);
  return Math.ceil(predictPeak(plan) - (1 - share) * plan.memory.arenaBytes[0]);
}

describe('segmentation', () => {
  it('cuts the volume into blocks where it does not fit, with the same bits', async () => {
    const whole = await segment({}, { probabilities: true });
    expect(whole.parts).toHaveLength(1);
    expect(new Set(whole.labels).size).toBeGreaterThan(1);
    const memoryLimit = limitOf(0.8, true);
    const blocks = await segment({ memoryLimit }, { probabilities: true, hostBytes: 0 });
    expect(blocks.parts.length).toBeGreaterThan(1);
    expect(blocks.labels).toEqual(whole.labels);
    expect(blocks.soft).toEqual(whole.soft);
    const labelsOnly = await segment({ memoryLimit }, { hostBytes: 0 });
    expect(labelsOnly.labels).toEqual(whole.labels);
    expect(labelsOnly.parts[0].probabilities).toBeUndefined();
  });

  it.each([[['width']], [['depth', 'height', 'width']]] as const)(
    'takes the mean over flips of %j, the same in one pass, in blocks and on a mesh',
    async (axes) => {
      const flips: readonly FlipAxis[] = axes;
      const whole = await segment({}, { flips, probabilities: true });
      const plain = await segment({}, { probabilities: true });
      expect(whole.soft).not.toEqual(plain.soft);
      const memoryLimit = limitOf(0.8, true);
      const blocks = await segment({ memoryLimit }, { flips, probabilities: true, hostBytes: 0 });
      expect(blocks.parts.length).toBeGreaterThan(1);
      expect(blocks).toMatchObject({ labels: whole.labels, soft: whole.soft });
      const ranks = await segment({ split: { depth: 3, width: 2 } }, { flips, probabilities: true });
      expect(ranks).toMatchObject({ labels: whole.labels, soft: whole.soft });
      expect((await segment({}, { flips })).labels).toEqual(whole.labels);
    },
  );

  it('gives the mean of what single passes over flipped volumes give', async () => {
    const found = await segment({}, { flips: ['height'], probabilities: true });
    const plain = await segment({}, { probabilities: true });
    const flip: Flip = [false, true, false];
    const run = await openRun({ run: path.join(folder, 'batch') });
    const mirrored = [0, 1, 2].map(() => new Float32Array(voxelCount(SHAPE)));
    await run.segmentParts(
      { ...source(), image: async (box) => takeBox(flipNumbers(numbers, SHAPE, flip), SHAPE, box) },
      { probabilities: true },
      ({ box, probabilities }) => {
        for (const [c, to] of mirrored.entries())
          putBox(
            to,
            SHAPE,
            box,
            probabilities!.filter((_, i) => i % 3 === c),
          );
      },
    );
    run.free();
    found.soft.forEach((mean, c) => {
      const back = flipNumbers(mirrored[c], SHAPE, flip);
      expect(mean).toEqual(mean.map((_, n) => Math.fround(Math.fround(plain.soft[c][n] + back[n]) / 2)));
    });
  });

  it('refuses a limit that nothing fits, and blocks of a network that has none', async () => {
    await expect(segment({ memoryLimit: 9e7 }, { hostBytes: 0 })).rejects.toThrow(/not even small blocks/);
    // Statistics over the volume: parts that take turns, and these are too many here.
    const options = { run: 'instance', memoryLimit: 9e7 };
    await expect(segment(options, { hostBytes: 0 })).rejects.toThrow(/the program does not fit/);
    const { graph } = predictionGraph(config('instance', { norm: 'instance' }), 3, SHAPE);
    expect(refusesBlocks(graph)).toMatch(/takes all of "depth" at once/);
  });

  it('ends at a signal, between two passes', async () => {
    const stop = new AbortController();
    const passes: number[] = [];
    const onPass = (done: number) => {
      passes.push(done);
      stop.abort(new Error('enough'));
    };
    await expect(segment({}, { flips: ['depth'], signal: stop.signal, onPass })).rejects.toThrow('enough');
    expect(passes).toEqual([1]);
  });
});

describe('blocks', () => {
  it('cover a box once', () => {
    const box: VoxelBox = { start: [3, 0, 5], end: [14, 9, 12] };
    const seen = new Uint8Array(14 * 9 * 12);
    for (const block of cutInto(box, [3, 2, 4])) {
      const ones = new Uint8Array(voxelCount(boxShape(block))).fill(1);
      const before = new Uint8Array(seen);
      putBox(seen, [14, 9, 12], block, ones);
      expect(seen.reduce((a, b) => a + b, 0)).toBe(before.reduce((a, b) => a + b, 0) + ones.length);
    }
    expect(seen.reduce((a, b) => a + b, 0)).toBe(11 * 9 * 7);
  });

  it('are as few as the limit lets be', () => {
    const { graph } = predictionGraph(config('batch', { base: 16 }), 3, [128, 96, 96]);
    const all = { start: [0, 0, 0], end: [128, 96, 96] } as const;
    const room = { graph, box: all, target: CPU_TARGET, hostBytes: () => 0 };
    const plan = makePlan(graph, mesh({}), {}, CPU_TARGET);
    const blocks = (share: number): number =>
      blocksWithin({ ...room, limit: predictPeak(plan) - (1 - share) * plan.memory.arenaBytes[0] }).blocks
        .length;
    expect(blocks(1)).toBe(1);
    expect(blocks(0.7)).toBeGreaterThan(1);
    expect(blocks(0.7)).toBeLessThanOrEqual(3);
    expect(blocks(0.2)).toBeGreaterThan(blocks(0.7));
  });

  it('name the smallest limit that they can meet', () => {
    const { graph } = predictionGraph(config('batch'), 3, [32, 32, 32]);
    const all = { start: [0, 0, 0], end: [32, 32, 32] } as const;
    const cut = (limit: number) =>
      blocksWithin({ graph, box: all, target: CPU_TARGET, hostBytes: () => 0, limit });
    const named = (limit: number): number => {
      try {
        cut(limit);
      } catch (error) {
        return Number(/at least (\d+)MiB/.exec(String(error))?.[1]) * 2 ** 20;
      }
      throw new Error('nothing was refused');
    };
    const least = named(1);
    expect(cut(least).blocks.length).toBeGreaterThan(1);
    expect(named(0.95 * least)).toBe(least);
  });
});

describe('flips', () => {
  it('are all combinations of the axes, none of them first', () => {
    expect(flipsOf([])).toEqual([[false, false, false]]);
    expect(flipsOf(['width', 'depth'])).toHaveLength(4);
    expect(flipsOf(['depth', 'height', 'width'])[0]).toEqual([false, false, false]);
    expect(new Set(flipsOf(['depth', 'height', 'width']).map(String)).size).toBe(8);
  });

  it('turn boxes and numbers alike', () => {
    const shape: Shape3 = [3, 4, 5];
    const data = Float32Array.from({ length: 60 }, (_, i) => i);
    for (const flip of flipsOf(['depth', 'height', 'width'])) {
      const box: VoxelBox = { start: [1, 0, 2], end: [3, 3, 4] };
      const turned = flipNumbers(data, shape, flip);
      const there = takeBox(turned, shape, flipBox(box, shape, flip));
      expect(flipNumbers(there, boxShape(box), flip)).toEqual(takeBox(data, shape, box));
      const sum = new Float32Array(60).fill(1);
      addFlipped(sum, { start: [0, 0, 0], end: shape }, there, box, flip, 1);
      const expected = new Float32Array(60).fill(1);
      putBox(
        expected,
        shape,
        box,
        takeBox(data, shape, box).map((x) => x + 1),
      );
      expect(sum).toEqual(expected);
    }
  });
});
