import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BASE, runProfile } from './halomesh.ts';
import type { Bench, PartResult } from './part.ts';

/** The kernels of a training step by the time that they take; a section for each size. */
export async function profilePart(bench: Bench): Promise<PartResult> {
  const { quick, sizes, flags } = bench.options;
  const [size] = sizes ?? [quick ? 64 : 128];
  const steps = size >= 256 ? 1 : 3;
  bench.say(`profile: ${size}^3`);
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-bench-'));
  const outcome = await runProfile({ size, steps, flags }, path.join(folder, 'trace.json'));
  rmSync(folder, { recursive: true, force: true });
  if (!outcome.ok) bench.say(outcome.detail);
  const text = outcome.ok
    ? `\`\`\`\n${outcome.value.summary}\n\`\`\`\n\n${outcome.value.table}`
    : `Not measured: ${outcome.reason}.`;
  // Values of flags may name folders of the machine.
  const shown = flags.map((flag) => (/[\\/]/.test(flag) ? '...' : flag)).join(' ');
  const body = `A training step at ${size}^3 (base ${BASE}, batch 1${shown === '' ? '' : `, with ${shown}`}), mean of ${steps} after one to warm up. \`halomesh bench --trace FILE\` prints this table for any step.

${text}`;
  const section = { key: `profile${size}`, title: `Where the time of a step goes: ${size}^3`, body };
  return {
    sections: [section],
    data: { [`profile ${size}`]: { size, flags, ...(outcome.ok ? outcome.value : {}) } },
  };
}
