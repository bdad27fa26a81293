import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { openSafetensors, readLog, runFolder } from '../../src/train/index.ts';
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

  /** Losses and weights of a run over so many processes. */
  async function numbers(processes: number, split: readonly string[], flags: readonly string[]) {
    const run = mkdtempSync(at(`of-${processes}-`));
    const place = ['--data', at('data'), '--out', run, '--validation', 'phantom_001'];
    const ended = await mpirun(processes, [
      ...[COMMAND, 'train', ...place, '--steps', '3', '--checkpoint-every', '3', '--threads', '1'],
      ...[...split, ...flags],
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    const lines = await readLog(runFolder(run).log);
    const file = await openSafetensors(runFolder(run).latest);
    const weights: [string, unknown][] = [];
    for (const name of [...file.tensors.keys()].sort()) weights.push([name, await file.read(name)]);
    await file.close();
    const losses = lines.flatMap((line) =>
      'loss' in line ? [[line.kind, line.step, line.loss, line.dice]] : [],
    );
    return { run, losses, weights };
  }

  it.each([
    ["a network of one's own", ['--network', module, '--deep-supervision']],
    ['a residual encoder', ['--network', 'resunet', '--base', '4', '--loss', 'tversky+bce']],
  ])('%s: 4 processes train and predict as one does, bit for bit', async (_, flags) => {
    const split = ['--split', 'depth=2,width=2'];
    const one = await numbers(1, [], flags);
    const four = await numbers(4, split, flags);
    expect(one.losses).toHaveLength(4);
    expect(four.losses).toEqual(one.losses);
    expect(four.weights).toEqual(one.weights);
    const input = readdirSync(images)
      .sort()
      .slice(0, 4)
      .map((file) => path.join(images, file))
      .join(',');
    const predicted = async (processes: number, split: readonly string[]): Promise<Buffer> => {
      const output = path.join(one.run, `of-${processes}.nii`);
      const place = ['--run', one.run, '--input', input, '--output', output, '--threads', '1'];
      const ended = await mpirun(processes, [COMMAND, 'predict', ...place, ...split]);
      expect(ended.code, ended.stderr).toBe(0);
      return readFileSync(output);
    };
    expect((await predicted(4, split)).equals(await predicted(1, []))).toBe(true);
  });
});
