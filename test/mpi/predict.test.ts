import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importNnunet } from '../../src/exchange/index.ts';
import { readScan, writeNifti, writePhantom } from '../../src/imaging/index.ts';
import { predict, resolveConfig, train } from '../../src/train/index.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';
import { SMALL } from './training.ts';

// Each process reads and segments its part of a scan; what process 0 writes is what one process writes, bit for bit.

describeMpi('prediction over processes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-predict-mpi-'));
  const at = (name: string): string => path.join(folder, name);
  const input = at('data/imagesTr/phantom_000.nii.gz');
  const classes = ['background', 'liver', 'tumour'];
  const files = (name: string): string[] => [
    at(`${name}.nii.gz`),
    ...classes.map((cls) => at(`${name}_probability_${cls}.nii.gz`)),
  ];

  beforeAll(async () => {
    await writePhantom({ out: at('data'), size: [19, 16, 15], cases: 2 });
    await train(resolveConfig({ ...SMALL, steps: 2, data: at('data'), out: at('run'), threads: 1 }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['parts that exchange margins', 'parts', []],
    ['the mean over flips: blocks of their own', 'flips', ['--flips', 'depth,width']],
    ['parts along another axis', 'height', ['--split', 'height=3']],
  ] as const)('%s', async (_what, name, flags) => {
    const flips = name === 'flips' ? (['depth', 'width'] as const) : [];
    await predict({ run: at('run'), input, output: at(`one-${name}.nii.gz`), probabilities: true, flips });
    const split = name === 'height' ? [] : ['--split', 'depth=3'];
    const ended = await mpirun(3, [
      ...[COMMAND, 'predict', '--run', at('run'), '--input', input, '--output', at(`three-${name}.nii.gz`)],
      ...['--probabilities', ...split, ...flags],
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(/liver\s+[\d,]+/);
    for (const [n, file] of files(`one-${name}`).entries())
      expect(await readScan(files(`three-${name}`)[n])).toMatchObject({
        data: (await readScan(file)).data,
      });
  });

  it('labels alone pass process 0 a few slices at a time, also where the file has another order of axes', async () => {
    const turned = at('turned.nii');
    const { data, shape } = await readScan(input);
    await writeNifti(turned, { data, shape, affine: [0, -2, 0, 0, 0, 0, -1.5, 0, -3, 0, 0, 0, 0, 0, 0, 1] });
    await predict({ run: at('run'), input: turned, output: at('one-turned.nii.gz') });
    const ended = await mpirun(3, [
      ...[COMMAND, 'predict', '--run', at('run'), '--input', turned, '--output', at('three-turned.nii.gz')],
      ...['--split', 'height=3'],
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    const bytes = readFileSync(at('one-turned.nii.gz'));
    expect(readFileSync(at('three-turned.nii.gz')).equals(bytes)).toBe(true);
    expect(new Set((await readScan(at('one-turned.nii.gz'))).data).size).toBeGreaterThan(1);
  });

  it('patches of an imported run, whose work is shared', async () => {
    const nnunet = fileURLToPath(new URL('../fixtures/exchange/nnunet-ct', import.meta.url));
    const scan = path.join(nnunet, 'scan', 'case_0000.nii.gz');
    await importNnunet({ nnunet, out: at('nnunet'), fold: '0' });
    await predict({ run: at('nnunet'), input: scan, output: at('one-patches.nii.gz'), probabilities: true });
    const ended = await mpirun(2, [
      ...[COMMAND, 'predict', '--run', at('nnunet'), '--input', scan, '--output', at('two-patches.nii.gz')],
      ...['--probabilities', '--split', 'height=2'],
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    for (const [n, file] of files('one-patches').entries())
      expect(readFileSync(files('two-patches')[n]).equals(readFileSync(file)), file).toBe(true);
  });

  it('a scan of a folder whose probabilities have no room is a fault, and all go on to the next', async () => {
    const args = ['--run', at('run'), '--input', at('data/imagesTr'), '--output', at('labels')];
    const room = ['--probabilities', '--spill-dir', at('nowhere')];
    const { code, stderr } = await mpirun(2, [COMMAND, 'predict', ...args, ...room, '--split', 'depth=2']);
    expect(code).toBe(1);
    expect(stderr.match(/phantom_00\d\.nii\.gz: .*file for probabilities/g)).toHaveLength(2);
    expect(stderr).toMatch(/2 of 2 scans could not be segmented/);
  });

  it('a scan that cannot be read is told once', async () => {
    const options = ['--run', at('run'), '--input', at('nothing.nii'), '--output', at('x.nii')];
    const { code, stderr } = await mpirun(2, [COMMAND, 'predict', ...options, '--split', 'depth=2']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/nothing\.nii: there is no such file or folder/);
    expect(stderr.match(/^halomesh: /gm)).toHaveLength(1);
  });
});
