import { fileURLToPath } from 'node:url';
import type { BenchResult } from 'halomesh';
import { type Outcome, runChild, runJson } from './child.ts';

// build/bench lies two folders below the root of the package.
const BIN = fileURLToPath(new URL('../../bin/halomesh.js', import.meta.url));

export interface StepRun {
  readonly size: number;
  readonly steps: number;
  readonly precision?: 'f32' | 'bf16';
  /** Such as `depth=2,height=2`. */
  readonly split?: string;
  readonly flags?: readonly string[];
}

/** Channels of the first level in every benchmark. */
export const BASE = 16;

function flagsOf({ size, steps, precision = 'f32', split, flags = [] }: StepRun): string[] {
  const network = ['--size', String(size), '--base', String(BASE), '--optimizer', 'adam'];
  const how = ['--steps', String(steps), '--precision', precision];
  return ['bench', ...network, ...how, ...(split === undefined ? [] : ['--split', split]), ...flags];
}

/** What is told of a device, or why it is not there. */
export async function findDevice(name: string): Promise<Outcome<string>> {
  type Info = { readonly devices: readonly { name: string; available: boolean; note: string }[] };
  const found = await runJson<Info>(process.execPath, [BIN, 'info', '--json']);
  if (!found.ok) return found;
  const device = found.value.devices.find((one) => one.name === name);
  if (device?.available) return { ok: true, value: device.note };
  const reason = device?.note ?? `there is no device ${name}`;
  return { ok: false, reason, detail: reason };
}

/** Training steps in a process of their own. */
export function runSteps(run: StepRun): Promise<Outcome<BenchResult>> {
  return runJson<BenchResult>(process.execPath, [BIN, ...flagsOf(run), '--json']);
}

/** The table of kernels of training steps, as `halomesh bench --trace` prints it under its result. */
export async function runProfile(
  run: StepRun,
  traceFile: string,
): Promise<Outcome<{ summary: string; table: string }>> {
  const outcome = await runChild(process.execPath, [BIN, ...flagsOf(run), '--trace', traceFile], {
    seconds: 7200,
  });
  if (!outcome.ok) return outcome;
  const lines = outcome.value.split('\n');
  const rows = lines.filter((line) => line.startsWith('|'));
  return { ok: true, value: { summary: lines.slice(0, 5).join('\n'), table: rows.join('\n') } };
}
