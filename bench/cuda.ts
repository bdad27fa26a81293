import { BASE, findDevice, runSteps } from './halomesh.ts';
import type { Bench, PartResult } from './part.ts';
import { findPyTorch, GPU_MODES, MODES, runPyTorch } from './peers/pytorch.ts';
import { inTurn, type Subject, tableOf } from './steps.ts';

// Whole training steps on the GPU of this machine, ours and PyTorch's: whole processes in turn.

/** After which a process is ended: at 512^3 some modes of PyTorch end no step. */
const MOST_SECONDS = 150;

export async function cudaPart(bench: Bench): Promise<PartResult> {
  const { quick, python } = bench.options;
  const gpu = await findDevice('cuda');
  if (!gpu.ok || process.env.HALOMESH_CUDA === 'emulated') {
    bench.say(`cuda: left out, since there is no GPU${gpu.ok ? '' : `: ${gpu.reason}`}`);
    return { sections: [], data: { cuda: null } };
  }
  const torch = await findPyTorch(python, 'cuda');
  if (!torch.ok) bench.say(`no comparison with PyTorch: ${torch.reason}`);
  const [rounds, steps] = quick ? [1, 3] : [2, 5];
  const sizes = bench.options.sizes ?? (quick ? [64] : [128, 256, 512]);
  const subjects = [...ours(), ...(torch.ok ? peers(bench, python) : [])];
  const note = gpu.value;
  // What has no room says so itself.
  const room = Number.POSITIVE_INFINITY;
  const rows = await inTurn(bench, subjects, { what: 'cuda', sizes, rounds, steps, room });
  const version = torch.ok ? `PyTorch ${torch.value}` : `PyTorch was not measured: ${torch.reason}`;
  const body = `One training step of the U-Net at base ${BASE}, batch 1, with its loss and Adam, on ${note}. ${version}. Median of the counted steps of ${rounds} processes each, in turn, of one step to warm up and ${steps} counted. Memory is what tensors took of the GPU's at most. Ours brings the volume to the GPU in every step, PyTorch's lies there.

${tableOf(rows)}`;
  return {
    sections: [{ key: 'cuda', title: 'Training steps on a GPU', body }],
    data: { cuda: { note, version, rows } },
  };
}

const ours = (): Subject[] =>
  (['bf16', 'f32'] as const).map((precision) => ({
    name: precision === 'f32' ? 'halomesh' : 'halomesh, bf16',
    careful: true,
    most: precision === 'f32' ? { size: 256, reason: 'run up to 256^3' } : undefined,
    run: async (size, steps) => {
      const outcome = await runSteps({ size, steps, precision, flags: ['--device', 'cuda'] });
      return outcome.ok
        ? { ok: true, value: { seconds: outcome.value.seconds, bytes: outcome.value.deviceBytes ?? 0 } }
        : outcome;
    },
  }));

const peers = ({ threads }: Bench, python: string): Subject[] =>
  GPU_MODES.map((mode) => ({
    name: MODES[mode],
    careful: true,
    run: async (size, steps) => {
      const how = { device: 'cuda', seconds: MOST_SECONDS } as const;
      const outcome = await runPyTorch(python, mode, size, steps, threads[threads.length - 1], how);
      return outcome.ok
        ? { ok: true, value: { seconds: outcome.value.seconds, bytes: outcome.value.deviceBytes } }
        : outcome;
    },
  }));
