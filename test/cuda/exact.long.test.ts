import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { openSafetensors, resolveConfig, runFolder, type TrainConfig, train } from '../../src/train/index.ts';
import { COMMAND, describeMpi, mpirun, processOf } from '../mpi/launch.ts';
import { losses, reached } from '../mpi/training.ts';
import { CACHE } from './emulated.ts';

// Whole trainings on the emulated CUDA device: the same bits twice, on every mesh, resumed, and with several processes.

const STEPS = 4;
const NETWORK = { base: 4, levels: 2, size: 12, checkpointEvery: 2 };

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-exact-'));
const data = path.join(folder, 'phantoms');
/** Stands for the GPU of this process and of those that it starts; nothing where there is one to test. */
const EMULATED: Record<string, string> =
  process.env.HALOMESH_TEST_GPU === '1'
    ? {}
    : { HALOMESH_CUDA: 'emulated', HALOMESH_CACHE: path.dirname(CACHE) };

beforeAll(async () => {
  for (const [name, value] of Object.entries(EMULATED)) vi.stubEnv(name, value);
  await writePhantom({ out: data, size: 16, cases: 2 });
  await trained('whole');
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const run = (name: string): string => path.join(folder, name);

/** All numbers of the last checkpoint, by name. */
async function numbersOf(name: string) {
  const file = await openSafetensors(runFolder(run(name)).latest);
  const names = [...file.tensors.keys()];
  const found = new Map<string, unknown>();
  for (const tensor of names) found.set(tensor, await file.read(tensor));
  await file.close();
  return found;
}

const configOf = (name: string, more: Partial<TrainConfig>) =>
  resolveConfig({ data, out: run(name), steps: STEPS, device: 'cuda', threads: 1, ...NETWORK, ...more });

async function trained(name: string, more: Partial<TrainConfig> = {}): Promise<number[]> {
  await train(configOf(name, more));
  return losses(run(name));
}

/** A run that ends after its second step and goes on with other settings. */
async function resumed(name: string, first: Partial<TrainConfig>, second: Partial<TrainConfig>) {
  const stop = new AbortController();
  await train(configOf(name, first), {
    signal: stop.signal,
    onEvent: (event) => event.kind === 'step' && event.step === 2 && stop.abort(),
  });
  expect(await losses(run(name))).toHaveLength(2);
  await train(configOf(name, second), { resume: true });
  return losses(run(name));
}

describe('a training on the CUDA device', () => {
  it('has the same bits twice, and on a mesh', async () => {
    const whole = await losses(run('whole'));
    expect(new Set(whole).size).toBe(STEPS);
    expect(await trained('again')).toEqual(whole);
    expect(await trained('parts', { split: { depth: 3, width: 2 } })).toEqual(whole);
    const numbers = await numbersOf('whole');
    expect(numbers.size).toBeGreaterThan(20);
    expect(await numbersOf('again')).toEqual(numbers);
  });

  it('goes on where it ended with the same bits, also on another mesh', async () => {
    expect(await resumed('resumed', {}, { split: { height: 2 } })).toEqual(await losses(run('whole')));
  });

  it('takes the checkpoints of the CPU, and the CPU takes its', async () => {
    const [whole, cpu] = [await losses(run('whole')), await trained('cpu', { device: 'cpu' })];
    const near = (found: readonly number[], expected: readonly number[]) =>
      found.forEach((loss, i) => {
        expect(Math.abs(loss / expected[i] - 1)).toBeLessThan(1e-4);
      });
    near(whole, cpu);
    const there = await resumed('to cuda', { device: 'cpu' }, {});
    expect(there.slice(0, 2)).toEqual(cpu.slice(0, 2));
    near(there, cpu);
    const back = await resumed('to cpu', {}, { device: 'cpu' });
    expect(back.slice(0, 2)).toEqual(whole.slice(0, 2));
    near(back, cpu);
  });
});

describeMpi('several processes, each with a CUDA device', () => {
  const flags = (out: string, steps: number) =>
    [
      ...[COMMAND, 'train', '--data', data, '--out', out, '--device', 'cuda', '--threads', '1'],
      ...['--base', '4', '--levels', '2', '--size', '12', '--checkpoint-every', '2'],
      ...['--steps', String(steps), '--split', 'depth=2'],
    ] as const;

  it('have the bits of one, through messages in pinned memory', async () => {
    const ended = await mpirun(2, flags(run('two'), STEPS), EMULATED);
    expect(ended.code, ended.stderr).toBe(0);
    expect(await losses(run('two'))).toEqual(await losses(run('whole')));
  });

  it('all end when one is killed', async () => {
    const mark = 'cuda-killed';
    const [ended] = await Promise.all([
      mpirun(2, flags(run('killed'), 1000), { ...EMULATED, HALOMESH_TEST: mark }),
      reached(run('killed'), 3).then(() => process.kill(processOf(mark, 1)!, 'SIGKILL')),
    ]);
    expect(ended.code).not.toBe(0);
    expect(processOf(mark, 0)).toBeUndefined();
    expect(existsSync(runFolder(run('killed')).latest)).toBe(true);
  });
});
