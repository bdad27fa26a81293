import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Shape3, writePhantom } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { readLog } from '../record/log.ts';
import { train } from './train.ts';

const SIZE: Shape3 = [12, 14, 10];

/** A folder for the tests of a file, with two phantoms in `data`, and trainings with the boundary loss on them. */
export function boundaryRuns() {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-boundary-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const data = path.join(folder, 'data');
  beforeAll(async () => {
    await writePhantom({ out: data, size: SIZE, spacing: [3, 2, 2.5], cases: 2 });
  });

  let runs = 0;
  const config = (settings: object = {}): TrainConfig =>
    resolveConfig({
      ...{ data, out: path.join(folder, `run${runs++}`), steps: 2, threads: 1, base: 2, levels: 2 },
      ...{ loss: { terms: ['dice', 'ce', 'boundary'], boundaryWeight: { first: 0.2, last: 0.8 } } },
      ...settings,
    });

  const losses = async (run: TrainConfig): Promise<number[]> => {
    await train(run);
    return (await readLog(path.join(run.out, 'log.jsonl'))).flatMap((line) =>
      line.kind === 'step' ? [line.loss] : [],
    );
  };

  return { folder, data, config, losses };
}
