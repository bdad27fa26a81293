import { describe, expect, it } from 'vitest';
import { mesh, shape } from '../../core/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { makePlan, type Plan, type TimeOptions, predictTime as timeOf } from '../../plan/index.ts';
import {
  assumedSpeeds,
  CPU_TARGET,
  costsOf,
  fitLink,
  fitSpeeds,
  kernelTime,
  rankSpeedup,
  type Speeds,
  type TimedKernel,
} from './index.ts';

const predictTime = (plan: Plan, speeds: Speeds, options?: TimeOptions) =>
  timeOf(plan, costsOf(speeds), options);

const speeds = assumedSpeeds(4);
const alone = { threads: 1, ranksPerMachine: 1 };

describe('speeds from measured times', () => {
  it('are found again where times follow them exactly', () => {
    const kinds = ['conv', 'weightGradient', 'smallConv', 'pass'] as const;
    const works = Array.from({ length: 12 }, (_, i) => ({
      flops: 1e9 * (1 + ((7 * i) % 5)),
      bytes: 1e7 * (1 + ((3 * i) % 7)),
      weights: 1e4 * (1 + ((5 * i) % 11)),
    }));
    // Tiny kernels say what a launch takes.
    const tiny = { kind: 'pass' as const, flops: 0, bytes: 0, weights: 0, seconds: speeds.launchSeconds };
    const timed: TimedKernel[] = kinds.flatMap((kind) =>
      works.map((work) => {
        const own = kind === 'pass' ? { ...work, weights: 0 } : work;
        return { ...own, kind, seconds: kernelTime(speeds, kind, own, alone) };
      }),
    );
    const found = fitSpeeds([...timed, ...Array.from({ length: 8 }, () => tiny)]);
    expect(found.launchSeconds).toBeCloseTo(speeds.launchSeconds, 9);
    for (const kind of kinds)
      for (const [name, value] of Object.entries(speeds.kernels[kind]))
        expect((found.kernels[kind] as unknown as Record<string, number>)[name] / value).toBeCloseTo(1, 2);
  });

  it('give a link its latency and rate', () => {
    const timed = [4, 1e4, 1e6, 1e8].map((bytes) => ({ bytes, seconds: 2e-3 + bytes / 1.25e8 }));
    const { latencySeconds, bytesPerSecond } = fitLink(timed);
    expect(latencySeconds / 2e-3).toBeCloseTo(1, 3);
    expect(bytesPerSecond / 1.25e8).toBeCloseTo(1, 3);
  });

  it('share cores among the ranks of a machine', () => {
    const half = { ...speeds, cores: 2, allCores: 1.8 };
    expect(rankSpeedup(half, { threads: 2, ranksPerMachine: 1 })).toBeCloseTo(1.8);
    expect(rankSpeedup(half, { threads: 1, ranksPerMachine: 2 })).toBeCloseTo(0.9);
    expect(rankSpeedup(half, { threads: 1, ranksPerMachine: 4 })).toBeCloseTo(0.45);
    expect(rankSpeedup(half, { threads: 8, ranksPerMachine: 1 })).toBeCloseTo(1.8);
  });
});

describe('the time of a step', () => {
  const graph = buildTraining({
    image: shape({ batch: 1, depth: 32, height: 16, width: 16, channel: 1 }),
    network: { base: 4, levels: 2 },
  }).graph;
  const plan = makePlan(graph, mesh({ depth: 4 }), { depth: 'depth' }, CPU_TARGET);
  const change = (link: Partial<Speeds['link']>, rest: Partial<Speeds> = {}): Speeds => ({
    ...speeds,
    ...rest,
    link: { ...speeds.link, ...link },
  });

  it('adds up, rank by rank', () => {
    const { seconds, ranks } = predictTime(plan, speeds);
    expect(ranks).toHaveLength(4);
    for (const rank of ranks)
      expect(rank.kernels + rank.exchanges + rank.allReduces).toBeCloseTo(rank.seconds, 12);
    expect(seconds).toBe(Math.max(...ranks.map((rank) => rank.seconds)));
  });

  it('falls with every speed, and rises with every latency', () => {
    const { seconds } = predictTime(plan, speeds);
    const { link } = speeds;
    expect(predictTime(plan, change({ bytesPerSecond: link.bytesPerSecond / 10 })).seconds).toBeGreaterThan(
      seconds,
    );
    expect(predictTime(plan, change({ latencySeconds: link.latencySeconds * 10 })).seconds).toBeGreaterThan(
      seconds,
    );
    expect(predictTime(plan, change({ messageSeconds: link.messageSeconds * 10 })).seconds).toBeGreaterThan(
      seconds,
    );
    expect(predictTime(plan, speeds, { threads: 4 }).seconds).toBeLessThan(seconds);
    expect(predictTime(plan, speeds, { ranksPerMachine: 8 }).seconds).toBeGreaterThan(seconds);
    expect(predictTime(plan, change({}, { launchSeconds: 1e-3 })).seconds).toBeGreaterThan(seconds);
  });

  it('is that of the kernels where messages cost nothing, and never more with overlap', () => {
    const free = change({ bytesPerSecond: 1e18, latencySeconds: 0, messageSeconds: 0 });
    const { seconds, ranks } = predictTime(plan, free);
    expect(seconds).toBeGreaterThanOrEqual(Math.max(...ranks.map(({ kernels }) => kernels)));
    const slow = change({ latencySeconds: 1e-3 });
    expect(predictTime(plan, slow, { overlap: true }).seconds).toBeLessThan(predictTime(plan, slow).seconds);
    expect(predictTime(plan, slow, { overlap: true }).seconds).toBeGreaterThan(seconds);
  });

  it('of one rank has no waits', () => {
    const one = makePlan(graph, mesh({}), {}, CPU_TARGET);
    const { seconds, ranks } = predictTime(one, speeds);
    expect(ranks[0]).toMatchObject({ seconds, kernels: seconds, exchanges: 0, allReduces: 0 });
  });
});
