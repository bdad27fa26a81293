import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { writePhantom } from '../../src/imaging/index.ts';
import { bench } from '../../src/measure/index.ts';
import { openSafetensors, readLog, resolveConfig, runFolder, train } from '../../src/train/index.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-mpi-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeMpi('a network over processes', () => {
  it.each([
    { depth: 2 },
    { width: 3 },
    { depth: 2, height: 2 },
    { depth: 2, channel: 2 },
    { depth: 2, height: 2, width: 2 },
  ] as Record<string, number>[])('has the losses of one process, bit for bit: %j', async (parts) => {
    const ranks = Object.values(parts).reduce((a, b) => a * b, 1);
    const split = Object.entries(parts)
      .map(([dim, n]) => `${dim}=${n}`)
      .join(',');
    const flags = ['--size', '10', '--base', '4', '--levels', '2', '--steps', '2', '--json'];
    const ended = await mpirun(ranks, [COMMAND, 'bench', ...flags, '--split', split]);
    expect(ended.code, ended.stderr).toBe(0);
    const found = JSON.parse(ended.stdout);
    const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
    const network = { base: 4, levels: 2 };
    const alone = await bench({ size: 10, steps: 2, network, threads: 1, mesh: mesh(parts), layout });
    expect(found.losses).toEqual(alone.losses);
    expect(found.bytesSentPerStep).toBe(alone.predictedBytesSentPerStep);
  });

  it('writes the checkpoints and the log of one process, also of split variables', async () => {
    const data = path.join(folder, 'phantoms');
    await writePhantom({ out: data, size: 16, cases: 2 });
    const settings = { data, base: 4, levels: 2, steps: 2, checkpointEvery: 1, validation: 0.5 };
    const split = { depth: 2, channel: 2 };
    const [here, there] = [path.join(folder, 'local'), path.join(folder, 'mpi')];
    await train(resolveConfig({ ...settings, split, threads: 1, out: here }));
    const flags = ['--base', '4', '--levels', '2', '--steps', '2', '--checkpoint-every', '1'];
    const place = ['--data', data, '--out', there, '--split', 'depth=2,channel=2', '--validation', '0.5'];
    const ended = await mpirun(4, [COMMAND, 'train', ...flags, ...place]);
    expect(ended.code, ended.stderr).toBe(0);
    const numbers = async (dir: string): Promise<Record<string, unknown>> => {
      const file = await openSafetensors(runFolder(dir).latest);
      const names = [...file.tensors.keys()].sort();
      const all: Record<string, unknown> = {};
      for (const name of names) all[name] = await file.read(name);
      await file.close();
      return all;
    };
    expect(await numbers(there)).toEqual(await numbers(here));
    const lines = async (dir: string) =>
      (await readLog(runFolder(dir).log)).map((line) => ({ ...line, seconds: 0, peakRssBytes: 0 }));
    expect(await lines(there)).toEqual(await lines(here));
  });
});
