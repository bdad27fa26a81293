import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { openSafetensors, predict, readLog, resolveConfig, runFolder, train } from '../../src/train/index.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';

// Four channels, labels that are regions, voxels that nobody labelled, and a network of one's own, over processes.

describeMpi("regions and a network of one's own over processes", () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-mpi-regions-'));
  const at = (name: string): string => path.join(folder, name);
  const images = path.join(at('data'), 'imagesTr');
  const module = fileURLToPath(new URL('../../docs/examples/network.mjs', import.meta.url));

  beforeAll(async () => {
    await writePhantom({
      ...{ out: at('data'), modality: 'mr', channels: 4, regions: true, ignore: true },
      ...{ size: [12, 14, 12], cases: 2, seed: 2 },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Losses and weights of a run. */
  async function numbers(run: string) {
    const lines = await readLog(runFolder(run).log);
    const file = await openSafetensors(runFolder(run).latest);
    const weights: [string, unknown][] = [];
    for (const name of [...file.tensors.keys()].sort()) weights.push([name, await file.read(name)]);
    await file.close();
    const losses = lines.flatMap((line) =>
      'loss' in line ? [[line.kind, line.step, line.loss, line.dice]] : [],
    );
    return { losses, weights };
  }

  /** Runs a command over 4 processes, each with one part of a mesh. */
  async function over4(...flags: readonly string[]): Promise<void> {
    const ended = await mpirun(4, [COMMAND, ...flags, '--threads', '1', '--split', 'depth=2,width=2']);
    expect(ended.code, ended.stderr).toBe(0);
  }

  it.each([
    ["a network of one's own", { network: module, deepSupervision: true }, ['--deep-supervision']],
    [
      'a residual encoder',
      { network: 'resunet', base: 2, loss: { terms: ['tversky', 'bce'] } },
      ['--base', '2', '--loss', 'tversky+bce'],
    ],
  ])('%s: 4 processes train and predict as one does, bit for bit', async (_, settings, flags) => {
    const split = { depth: 2, width: 2 };
    const [one, four] = [mkdtempSync(at('one-')), mkdtempSync(at('four-'))];
    const held = { validation: ['phantom_001'], steps: 2, checkpointEvery: 2, threads: 1 };
    await train(resolveConfig({ ...settings, ...held, split, data: at('data'), out: one }));
    await over4(
      ...['train', '--data', at('data'), '--out', four, '--network', settings.network],
      ...['--validation', 'phantom_001', '--steps', '2', '--checkpoint-every', '2', ...flags],
    );
    const expected = await numbers(one);
    expect(expected.losses).toHaveLength(3);
    expect(await numbers(four)).toEqual(expected);
    const input = readdirSync(images)
      .sort()
      .slice(0, 4)
      .map((file) => path.join(images, file))
      .join(',');
    const [here, there] = [path.join(one, 'labels.nii'), path.join(four, 'labels.nii')];
    await predict({ run: one, input, output: here, threads: 1 });
    await over4('predict', '--run', one, '--input', input, '--output', there);
    expect(readFileSync(there).equals(readFileSync(here))).toBe(true);
  });
});
