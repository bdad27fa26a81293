import { describe, expect, it } from 'vitest';
import { mesh, shape } from '../../core/index.ts';
import { CPU_TARGET } from '../../machine/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { makePlan, type Plan } from '../plan.ts';
import { partition } from '../split/partition.ts';
import { fuse } from './fuse.ts';
import { inFlightOf, readsMargins, readyLoops } from './in-flight.ts';
import type { CollectiveStep, Kernel, Step } from './kernel.ts';
import { late } from './late.ts';

const { graph } = buildTraining({
  image: shape({ batch: 1, depth: 32, height: 16, width: 16, channel: 1 }),
  network: { base: 16, levels: 3 },
});
const pair = mesh({ z: 2 });
const plan: Plan = makePlan(graph, pair, { depth: 'z' }, CPU_TARGET, { processRanks: [[0], [1]] });
const inFlight = inFlightOf(plan.memory.list, plan.buffers);
const kindOf = (step: { kind: string }) =>
  step.kind === 'collective' ? (step as CollectiveStep).node.collective?.kind : undefined;

describe('late', () => {
  const steps = fuse(partition(graph, pair, { depth: 'z' }), CPU_TARGET.fusion);
  const moved = late(steps);

  it('keeps every step once, and each after what it reads', () => {
    expect(new Set(moved)).toEqual(new Set(steps));
    expect(moved).toHaveLength(steps.length);
    const made = new Set(steps.flatMap((step) => step.writes));
    const done = new Set<unknown>();
    for (const step of moved) {
      for (const value of step.reads)
        if (made.has(value) && (step.kind === 'collective' || readsMargins(step, value.producer)))
          expect(done.has(value)).toBe(true);
      for (const value of step.writes) done.add(value);
    }
  });

  it('leaves the kernels in their order', () => {
    const kernels = (list: readonly Step[]) => list.filter((step) => step.kind === 'kernel');
    expect(kernels(moved)).toEqual(kernels(steps));
  });

  it('puts an exchange right before what needs it, or after the last use before a long time without one', () => {
    moved.forEach((step, at) => {
      if (kindOf(step) !== 'exchange') return;
      const { node } = step as CollectiveStep;
      const uses = (other: Step) =>
        [...step.reads, ...step.writes].some((value) => other.reads.includes(value));
      const kernels = (list: readonly Step[]) => list.filter((other) => other.kind === 'kernel');
      const [next] = kernels(moved.slice(at + 1));
      const needed = uses(next) && readsMargins(next as Kernel, node);
      const soon = moved.slice(at + 1, at + 6).some(uses);
      expect(needed || !soon).toBe(true);
    });
  });

  it('gathers the all-reduces of weight gradients', () => {
    const runs: number[] = [];
    moved.forEach((step, at) => {
      if (kindOf(step) !== 'all_reduce') return;
      if (at > 0 && kindOf(moved[at - 1]) === 'all_reduce') runs[runs.length - 1]++;
      else runs.push(1);
    });
    // Ten 3x3x3 convolutions, two transposed ones, the output and its bias, two vectors of each of ten norms.
    expect(Math.max(...runs)).toBeGreaterThanOrEqual(14);
    expect(runs.length).toBeLessThan(30);
  });
});

describe('inFlightOf', () => {
  it('lets exchanges fly over the weight gradient between what they send and what waits', () => {
    const over = inFlight.filter(
      ({ kind, begin, end }) =>
        kind === 'exchange' &&
        plan.steps
          .slice(begin + 1, end)
          .some((step) => step.kind === 'kernel' && step.anchor?.op.name === 'conv_weight_grad'),
    );
    expect(over.length).toBeGreaterThanOrEqual(8);
  });

  it('begins after the last change of what is sent, and never flies over its memory being given away', () => {
    for (const { places, begin, end } of inFlight)
      for (const place of places) {
        const { reads } = plan.steps[place];
        const buffer = plan.buffers.get(reads[0]);
        plan.steps.slice(begin + 1, end).forEach((step) => {
          expect(step.writes.map((value) => plan.buffers.get(value))).not.toContain(buffer);
          if (step.kind === 'move') expect(step.buffer).not.toBe(buffer);
        });
        expect(begin).toBeLessThan(end);
      }
  });

  it('gives those in flight at the same time slots of their own', () => {
    for (const a of inFlight)
      for (const b of inFlight)
        if (a !== b && a.kind === b.kind && a.slot === b.slot)
          expect(a.end <= b.begin || b.end <= a.begin).toBe(true);
  });

  it('carries several all-reduces together', () => {
    const most = Math.max(...inFlight.map(({ places }) => places.length));
    expect(most).toBeGreaterThan(4);
  });
});

describe('readyLoops', () => {
  it('is what a convolution can compute before its margin comes', () => {
    const at = plan.steps.findIndex((step) => step.kind === 'kernel' && step.anchor?.name === 'down0/conv1');
    const kernel = plan.steps[at] as Kernel;
    const { node } = plan.steps[at - 1] as CollectiveStep;
    const depths = [0, 1].map((rank) => readyLoops(kernel, rank, [node])?.[1]);
    expect(depths).toEqual([
      { start: 0, end: 15 },
      { start: 17, end: 32 },
    ]);
  });
});
