import { fileURLToPath } from 'node:url';
import { type Outcome, runChild, runJson } from '../child.ts';
import { BASE } from '../halomesh.ts';

/** Ways to run the network in PyTorch, as pytorch_unet.py names them. */
export const MODES = {
  default: 'PyTorch',
  channels_last: 'PyTorch, channels_last_3d',
  channels_last_bf16: 'PyTorch, channels_last_3d, bf16 autocast',
  channels_last_compiled: 'PyTorch, channels_last_3d, torch.compile',
} as const;
export type Mode = keyof typeof MODES;

export interface PyTorchResult {
  readonly version: string;
  readonly seconds: readonly number[];
  readonly losses: readonly number[];
  readonly peakRssBytes: number;
}

// build/bench/peers lies three folders below the root of the package.
const SCRIPT = fileURLToPath(new URL('../../../bench/peers/pytorch_unet.py', import.meta.url));

/** PyTorch's version; the reason where there is none. */
export async function findPyTorch(python: string): Promise<Outcome<string>> {
  const found = await runChild(python, ['-c', 'import torch; print(torch.__version__)']);
  if (found.ok) return { ok: true, value: found.value.trim() };
  const reason = 'no Python with PyTorch (name one with --python or HALOMESH_BENCH_PYTHON)';
  return { ok: false, reason, detail: found.detail };
}

/** Training steps in a process of their own, after one that is not counted. */
export function runPyTorch(
  python: string,
  mode: Mode,
  size: number,
  steps: number,
  threads: number,
): Promise<Outcome<PyTorchResult>> {
  const numbers = { size, base: BASE, steps, threads };
  const flags = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return runJson<PyTorchResult>(python, [SCRIPT, '--mode', mode, ...flags]);
}
