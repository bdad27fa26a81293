import { fileURLToPath } from 'node:url';
import { type Outcome, runChild, runJson } from '../child.ts';
import { BASE } from '../halomesh.ts';

/** Ways to run the network in PyTorch, as pytorch_unet.py names them. */
export const MODES = {
  default: 'PyTorch',
  channels_last: 'PyTorch, channels_last_3d',
  channels_last_bf16: 'PyTorch, channels_last_3d, bf16 autocast',
  channels_last_compiled: 'PyTorch, channels_last_3d, torch.compile',
  channels_last_bf16_compiled: 'PyTorch, channels_last_3d, bf16 autocast, torch.compile',
} as const;
export type Mode = keyof typeof MODES;

/** Those that are run on a processor, and those that are fast on a GPU. */
export const CPU_MODES: readonly Mode[] = [
  'default',
  'channels_last',
  'channels_last_bf16',
  'channels_last_compiled',
];
export const GPU_MODES: readonly Mode[] = [
  'channels_last',
  'channels_last_bf16',
  'channels_last_bf16_compiled',
];

export interface PyTorchResult {
  readonly version: string;
  readonly seconds: readonly number[];
  readonly losses: readonly number[];
  readonly peakRssBytes: number;
  /** Of a GPU that tensors took at most. */
  readonly deviceBytes: number;
}

// build/bench/peers lies three folders below the root of the package.
const SCRIPT = fileURLToPath(new URL('../../../bench/peers/pytorch_unet.py', import.meta.url));

/** PyTorch's version; the reason where there is none that runs on the device. */
export async function findPyTorch(python: string, device: 'cpu' | 'cuda' = 'cpu'): Promise<Outcome<string>> {
  const check = device === 'cuda' ? '; torch.zeros(1, device="cuda")' : '';
  const found = await runChild(python, ['-c', `import torch; print(torch.__version__)${check}`]);
  if (found.ok) return { ok: true, value: found.value.trim() };
  const what = device === 'cuda' ? 'PyTorch for this GPU' : 'PyTorch';
  const reason = `no Python with ${what} (name one with --python or HALOMESH_BENCH_PYTHON)`;
  return { ok: false, reason, detail: found.detail };
}

/** Training steps in a process of their own, after one that is not counted. */
export function runPyTorch(
  python: string,
  mode: Mode,
  size: number,
  steps: number,
  threads: number,
  { device = 'cpu', seconds }: { readonly device?: 'cpu' | 'cuda'; readonly seconds?: number } = {},
): Promise<Outcome<PyTorchResult>> {
  const numbers = { size, base: BASE, steps, threads };
  const flags = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return runJson<PyTorchResult>(python, [SCRIPT, '--mode', mode, '--device', device, ...flags], {
    seconds,
  });
}
