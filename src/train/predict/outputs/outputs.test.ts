import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScan, writePhantom } from '../../../imaging/index.ts';
import { resolveConfig } from '../../config/config.ts';
import { train } from '../../loop/train.ts';
import { predict, predictFolder } from '../predict.ts';
import type { PredictOptions } from '../predict-options.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-outputs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = path.join(folder, 'run');
const data = path.join(folder, 'data');
const scan = path.join(data, 'imagesTr', 'phantom_000.nii.gz');
const at = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  await writePhantom({ out: data, size: [15, 14, 12], cases: 2 });
  await train(resolveConfig({ data, out: run, base: 2, levels: 2, steps: 1, threads: 1, dropoutKeep: 1 }));
});

const segment = (options: Partial<PredictOptions>) =>
  predict({ run, input: scan, output: at('out.nii.gz'), overwrite: true, ...options });

describe('outputs of a prediction', () => {
  it('are never files that are read, by whatever way they are reached', async () => {
    const own = at('own');
    mkdirSync(own);
    const file = path.join(own, 'x.nii.gz');
    copyFileSync(scan, file);
    symlinkSync(file, at('link.nii.gz'));
    linkSync(file, at('hard.nii.gz'));
    symlinkSync(own, at('linked'));
    const before = readFileSync(file);
    for (const output of [
      file,
      own,
      at('link.nii.gz'),
      at('hard.nii.gz'),
      at('linked'),
      at('linked/x.nii.gz'),
    ])
      await expect(segment({ input: file, output })).rejects.toThrow(/the output is a file that is read/);
    for (const output of [own, at('linked')])
      await expect(predictFolder({ run, input: own, output, overwrite: true })).rejects.toThrow(
        /the output is the folder of the scans/,
      );
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(own)).toEqual(['x.nii.gz']);
  });

  it('are never the voxels that a header names', async () => {
    const grid = await readScan(scan);
    const [depth, height, width] = grid.shape;
    writeFileSync(
      at('h.mhd'),
      `NDims = 3\nDimSize = ${width} ${height} ${depth}\nElementType = MET_SHORT\nElementDataFile = h.nii\n`,
    );
    writeFileSync(at('h.nii'), new Uint8Array(2 * grid.data.length));
    await expect(segment({ input: at('h.mhd'), output: at('h.nii') })).rejects.toThrow(/a file that is read/);
  });

  it('are left alone where they are there, unless they may be replaced', async () => {
    writeFileSync(at('there.nii'), 'something');
    await expect(segment({ output: at('there.nii'), overwrite: undefined })).rejects.toThrow(/--overwrite/);
    writeFileSync(at('p_probability_liver.nii'), 'something');
    await expect(segment({ output: at('p.nii'), overwrite: false, probabilities: true })).rejects.toThrow(
      /p_probability_liver\.nii: the output is there already/,
    );
    expect(readdirSync(folder).filter((name) => name.startsWith('p'))).not.toContain('p.nii');
  });

  it('of a folder are a folder, and a folder without scans is blamed itself', async () => {
    mkdirSync(at('some'));
    copyFileSync(scan, at('some/a.nii.gz'));
    for (const name of ['new.nii.gz', 'new.mha'])
      await expect(predictFolder({ run, input: at('some'), output: at(name) })).rejects.toThrow(
        /needs a folder.*such as new/,
      );
    mkdirSync(at('empty'));
    mkdirSync(at('pictures'));
    writeFileSync(at('pictures/1.BMP'), '');
    for (const [input, found] of [
      ['empty', /no scans were found.*\.nhdr.*found nothing/],
      ['pictures', /found 1 files \.bmp/],
      ['absent', /there is no such file or folder/],
    ] as const)
      await expect(segment({ input: at(input), output: at('labels') })).rejects.toThrow(found);
  });
});
