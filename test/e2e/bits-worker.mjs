// bits-worker.mjs DATA FOLDER: trains 20 steps on every placement of `bits.json` with the built program, prints what it saw as JSON.
// What it prints is the fixture's form, so that it makes one too: with limits from the fixture that is there.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { resolveConfig, train } from '../../dist/index.js';

const [data, folder] = process.argv.slice(2);
const { runs } = JSON.parse(readFileSync(new URL('../fixtures/bits.json', import.meta.url), 'utf8'));
const seen = [];
for (const [n, { precision, split, memoryLimit }] of runs.entries()) {
  const out = path.join(folder, `run${n}`);
  const config = { data, out, spacing: 6, base: 8, steps: 20, seed: 1, precision, split, memoryLimit };
  const losses = [];
  const run = { precision, split, memoryLimit };
  const onEvent = (event) => {
    if (event.kind === 'start') run.predictedPeakBytes = event.plan.predictedPeakBytes;
    if (event.kind !== 'step') return;
    losses.push(event.loss);
    run.bytesSent = event.bytesSent;
  };
  await train(resolveConfig(config), { onEvent });
  seen.push({ ...run, losses });
}
console.log(JSON.stringify(seen));
