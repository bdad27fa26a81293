import { expect, it } from 'vitest';
import { HalomeshError } from '../../src/core/index.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { prepare } from '../laws/judge.ts';
import { meshFor } from '../laws/sample.ts';
import { SAMPLES } from '../laws/samples.ts';
import { recording } from './recording.ts';

// What a plan sets aside for launches is what they ask for, for every sample of the laws on every mesh; no kernel is run.

it('every kernel finds the memory that was planned for it', async () => {
  const device = recording(new Map());
  const bad: string[] = [];
  for (const name of Object.keys(OPS) as OpName[])
    for (const sample of SAMPLES[name])
      for (const parts of [{}, ...sample.parts])
        try {
          const session = new Session({ device, ...meshFor(parts) });
          (await session.load(prepare(sample).graph, { idleRanks: true })).free();
        } catch (error) {
          if (!(error instanceof HalomeshError) || /planned/.test(error.message))
            bad.push(`${name}: ${sample.name} ${error}`);
        }
  expect(bad).toEqual([]);
});
