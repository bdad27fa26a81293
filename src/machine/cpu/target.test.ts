import { describe, expect, it } from 'vitest';
import { Graph, type Layout, mesh, shape } from '../../core/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { inputOf, reshape } from '../../ops/index.ts';
import { comebacks, leastMemory, makePlan, type Plan, predictPeak, predictTime } from '../../plan/index.ts';
import { assumedSpeeds, CPU_TARGET, costsOf, cpuTarget, type Speeds } from './index.ts';

const { graph } = buildTraining({
  image: shape({ batch: 1, depth: 24, height: 24, width: 24, channel: 1 }),
  network: { base: 8, levels: 2 },
});

/** A machine whose kernels take `factor` times as long, whatever they do. */
function slowed(factor: number): Speeds {
  const speeds = assumedSpeeds(1);
  const kernels = Object.entries(speeds.kernels).map(([kind, { flopsPerSecond, bytesPerSecond }]) => [
    kind,
    { flopsPerSecond: flopsPerSecond / factor, bytesPerSecond: bytesPerSecond / factor },
  ]);
  return { ...speeds, kernels: Object.fromEntries(kernels) };
}

describe('measured speeds', () => {
  it('decide between computing again and moving to the spill file', () => {
    const free = predictPeak(makePlan(graph, mesh({}), {}, CPU_TARGET));
    const least = leastMemory(graph, mesh({}), {}, CPU_TARGET)!;
    const memoryLimit = Math.ceil((free + least) / 2);
    const ways = (speeds: Speeds) => {
      const plan = makePlan(graph, mesh({}), {}, cpuTarget({ speeds }), { memoryLimit });
      expect(predictPeak(plan)).toBeLessThanOrEqual(memoryLimit);
      return new Set(comebacks(plan).map(({ how }) => how));
    };
    expect(ways(slowed(1e-4))).toEqual(new Set(['recompute']));
    expect(ways(slowed(1e4))).toEqual(new Set(['spill']));
  });

  it('are told for moves of a plan by the tier that they go to', () => {
    const memoryLimit = leastMemory(graph, mesh({}), {}, CPU_TARGET)!;
    const tier = (bytesPerSecond: number) => {
      const { spaces } = CPU_TARGET;
      const target = {
        ...CPU_TARGET,
        spaces: { ...spaces, tiers: [{ name: 'tier', bytesPerSecond }] as const },
      };
      const plan = makePlan(graph, mesh({}), {}, target, { memoryLimit });
      const moved = comebacks(plan).filter(({ how }) => how === 'spill').length;
      return { moved, seconds: predictTime(plan, costsOf(slowed(1))).seconds };
    };
    const [slow, fast] = [tier(1e6), tier(1e12)];
    expect(fast.moved).toBeGreaterThan(slow.moved);
    expect(fast.seconds).toBeLessThan(slow.seconds);
  });
});

describe('scratch of launches', () => {
  /** Bytes that a reshape of so many numbers copies to plain memory. */
  const reshaped = (depth: number, ranks: number) => {
    const graph = new Graph();
    const x = inputOf(graph, 'x', shape({ depth, height: 8 }));
    graph.output('y', reshape(x, shape({ depth, height: 8, one: 1 })));
    const layout: Layout = ranks > 1 ? { depth: 'z' } : {};
    return makePlan(graph, mesh(ranks > 1 ? { z: ranks } : {}), layout, CPU_TARGET);
  };
  const scratches = (plan: Plan) =>
    [...plan.memory.placements]
      .filter(([buffer]) => buffer.name.endsWith('scratch'))
      .flatMap(([, stays]) => stays);

  it('has a place in the arena while they run, and counts', () => {
    const [stay, ...others] = scratches(reshaped(1024, 1));
    expect(others).toEqual([]);
    expect(stay.bytes).toEqual([4 * 8 * 1024]);
    expect(stay.from).toBe(stay.to);
    // Beside what is read and what is written.
    expect(reshaped(1024, 1).memory.arenaBytes).toEqual([3 * 4 * 8 * 1024]);
    expect(scratches(reshaped(1024, 2))[0].bytes).toEqual([2 * 8 * 1024, 2 * 8 * 1024]);
  });

  it('of ranks that take turns is the same memory', () => {
    const { placements } = reshaped(1024, 2).memory;
    const [{ offsets }] = [...placements].find(([buffer]) => buffer.name.endsWith('scratch'))![1];
    expect(offsets[0]).toBe(offsets[1]);
  });

  it('is none of a training step without one', () => {
    expect(scratches(makePlan(graph, mesh({}), {}, CPU_TARGET))).toEqual([]);
  });
});

describe('overlap', () => {
  const plan = (overlap: boolean) =>
    makePlan(graph, mesh({ z: 2 }), { depth: 'z' }, cpuTarget({ overlap }), { processRanks: [[0], [1]] });

  it('is of the target: without it collectives stay where they are made, and none goes on beside kernels', () => {
    const [beside, alone] = [plan(true), plan(false)];
    expect(beside.inFlight.length).toBeGreaterThan(0);
    expect(alone.inFlight).toEqual([]);
    expect(alone.bytesSent).toEqual(beside.bytesSent);
    expect(predictPeak(alone)).toBeLessThan(predictPeak(beside));
  });

  it('is nothing for ranks that take turns in one process', () => {
    const { inFlight } = makePlan(graph, mesh({ z: 2 }), { depth: 'z' }, CPU_TARGET);
    expect(inFlight).toEqual([]);
  });
});
