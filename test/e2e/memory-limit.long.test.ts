import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import {
  type Forecast,
  forecast,
  readLog,
  resolveConfig,
  type TrainConfig,
  train,
} from '../../src/train/index.ts';

// A memory limit changes what a run does, and nothing of what comes out.

const folder = mkdtempSync(path.join(import.meta.dirname, '../../build/limit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SIZE = 40;
const data = path.join(folder, 'data');
beforeAll(async () => {
  await writePhantom({ out: data, size: [SIZE, SIZE, SIZE], cases: 1 });
});

const config = (name: string, memoryLimit?: number): TrainConfig =>
  resolveConfig({
    data,
    out: path.join(folder, name),
    levels: 3,
    steps: 3,
    precision: 'bf16',
    threads: 1,
    memoryLimit,
    spillDir: folder,
  });

/** Forecasts for ever lower limits, down to the lowest that can be met. */
function ladder(): Forecast[] {
  const found = [forecast(config('free'), [SIZE, SIZE, SIZE], 3)];
  for (let limit = found[0].report.predictedPeakBytes; ; limit -= 2 ** 21)
    try {
      found.push(forecast(config('tight', limit), [SIZE, SIZE, SIZE], 3));
    } catch (error) {
      expect((error as Error).message).toMatch(
        /^memory limit: the program does not fit, in however many parts; expected at least \d+MiB/,
      );
      return found;
    }
}

async function losses(run: TrainConfig): Promise<number[]> {
  const lines = await readLog(path.join(run.out, 'log.jsonl'));
  return lines.flatMap((line) => (line.kind === 'step' ? [line.loss] : []));
}

describe('a memory limit', () => {
  it('recomputes and spills, with the same losses', async () => {
    const rungs = ladder();
    const { config: lowest, report } = rungs[rungs.length - 1];
    expect(report.extra).toMatch(/^\d+ tensors recomputed \(.*, [1-9]\d* fetched from the spill file/);
    expect(report.predictedPeakBytes).toBeLessThanOrEqual(lowest.memoryLimit!);
    expect(report.predictedPeakBytes).toBeLessThan(rungs[0].report.predictedPeakBytes - 2 ** 22);

    const free = config('free');
    const tight = config('tight', lowest.memoryLimit);
    await train(free);
    await train(tight);
    expect(await losses(tight)).toEqual(await losses(free));
  });

  it('cuts a volume of 512^3 into as few parts as it takes', () => {
    const at = (gib: number) => forecast(config('big', gib * 2 ** 30), [512, 512, 512], 3);
    expect(at(20).config.mesh).toEqual({});
    const { config: cut, report } = at(15);
    expect(cut.mesh).toEqual({ depth: 2 });
    expect(cut.layout).toEqual({ depth: 'depth' });
    expect(report.predictedPeakBytes).toBeLessThanOrEqual(15 * 2 ** 30);
    expect(() => at(4)).toThrow(
      /memory limit: the program does not fit, in however many parts; expected at least [\d.]+GiB, found 4GiB/,
    );
  });
});
