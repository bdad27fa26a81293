import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSlides } from '../../src/imaging/synthetic/phantom-slides.ts';
import { predict, resolveConfig, train } from '../../src/train/index.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';

describeMpi('slides over processes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-mpi-slides-'));
  const at = (name: string): string => path.join(folder, name);
  const input = at('slides/imagesTr/slide_000_0000.tif');

  beforeAll(async () => {
    await writeSlides({ out: at('slides'), size: 120, cases: 2, mpp: 4 });
    const settings = { plane: true, base: 2, levels: 2, steps: 2, threads: 1 };
    await train(resolveConfig({ ...settings, data: at('slides'), out: at('run') }));
    await train(resolveConfig({ ...settings, data: at('slides'), out: at('coarse'), spacing: 0.006 }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['parts that exchange margins', 'run', []],
    ['the mean over flips: blocks of their own', 'run', ['--flips', 'width']],
    ['pixels that are resampled', 'coarse', []],
  ] as const)(
    '%s: the label map and the outlines have the bytes of one process',
    async (_what, run, flags) => {
      const flips = flags.length > 0 ? (['width'] as const) : [];
      const common = { outlines: true, overwrite: true, threads: 1 };
      await predict({ ...common, run: at(run), input, output: at('one.tif'), flips });
      const ended = await mpirun(3, [
        ...[COMMAND, 'predict', '--run', at(run), '--input', input, '--output', at('three.tif')],
        ...['--outlines', '--overwrite', '--split', 'height=3', ...flags],
      ]);
      expect(ended.code, ended.stderr).toBe(0);
      for (const ending of ['tif', 'geojson'])
        expect(readFileSync(at(`three.${ending}`)).equals(readFileSync(at(`one.${ending}`)))).toBe(true);
    },
  );
});
