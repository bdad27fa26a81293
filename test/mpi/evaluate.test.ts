import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { preprocess, writePhantom } from '../../src/imaging/index.ts';
import { type EvaluateOptions, evaluate, resolveConfig, train } from '../../src/train/index.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';
import { SMALL } from './training.ts';

// Each process segments, reads and counts its own part; what process 0 writes is what one process writes, byte for byte.

describeMpi('evaluation over processes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-evaluate-mpi-'));
  const at = (name: string): string => path.join(folder, name);

  beforeAll(async () => {
    await writePhantom({ out: at('data'), size: [17, 16, 15], cases: 2 });
    await preprocess({ data: at('data'), out: at('store'), size: 12 });
    const settings = { ...SMALL, steps: 3, dropoutKeep: 1, threads: 1 };
    await train(resolveConfig({ ...settings, data: at('data'), out: at('run') }));
    await train(resolveConfig({ ...settings, data: at('store'), out: at('small') }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** All files of an evaluation. */
  function written(name: string): Record<string, string> {
    const files = [
      'summary.json',
      'summary.md',
      ...readdirSync(at(`${name}/overlays`)).map((file) => `overlays/${file}`),
    ];
    expect(files).toHaveLength(4);
    return Object.fromEntries(files.map((file) => [file, readFileSync(at(`${name}/${file}`), 'latin1')]));
  }

  it.each<[string, number, string, Omit<EvaluateOptions, 'run'>, string[]]>([
    [
      'counts alone, over uneven parts',
      3,
      'run',
      { surfaces: false },
      ['--no-surfaces', '--split', 'depth=3'],
    ],
    [
      'one process that has no labels',
      2,
      'run',
      { surfaces: false },
      ['--no-surfaces', '--split', 'channel=2'],
    ],
    [
      'surfaces, lesions and cleaning, which take the whole',
      2,
      'run',
      { cleaning: { largestComponent: ['liver'] } },
      ['--largest-component', 'liver', '--split', 'height=2'],
    ],
    ['a store that was resampled', 2, 'small', {}, ['--split', 'width=2']],
  ])('%s', async (what, ranks, run, options, flags) => {
    const name = what.replaceAll(/\W+/g, '-');
    const alone = await evaluate({ run: at(run), out: at(`one-${name}`), ...options });
    expect(alone.original.classes[1].global.predictedVoxels).toBeGreaterThan(0);
    const ended = await mpirun(ranks, [
      ...[COMMAND, 'evaluate', '--run', at(run), '--out', at(`many-${name}`)],
      ...flags,
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(written(`many-${name}`)).toEqual(written(`one-${name}`));
  });
});
