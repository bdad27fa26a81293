import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { resolveConfig, train } from '../../src/train/index.ts';
import { COMMAND, describeMpi, type Ended, mpirun, mpirunIn } from './launch.ts';
import { SMALL, SMALL_FLAGS } from './training.ts';

// Ranks that see other files than rank 0: each has a folder of its own as its current one, which the same path leads to.

const HERE = '/proc/self/cwd';
const DATA = `${HERE}/data`;

describeMpi('a rank that sees other files', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-files-'));
  const [a, b] = [path.join(folder, 'a'), path.join(folder, 'b')];
  const image = path.join(b, 'data', 'imagesTr', 'phantom_001.nii.gz');
  const out = ['--out', path.join(folder, 'run')];

  beforeAll(async () => {
    await writePhantom({ out: path.join(a, 'data'), size: 16, cases: 2 });
    const config = {
      ...SMALL,
      steps: 1,
      data: path.join(a, 'data'),
      out: path.join(a, 'trained'),
      threads: 1,
    };
    await train(resolveConfig(config));
    mkdirSync(b);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** One error, from rank 0. */
  function refused({ code, stderr }: Ended, said: RegExp): void {
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(said);
    expect(stderr).toMatch(/^halomesh: rank 0: /m);
    expect(stderr.match(/^halomesh: /gm)).toHaveLength(1);
  }

  it('no data set', async () => {
    const ended = await mpirunIn(
      [a, b],
      [COMMAND, 'train', '--data', DATA, ...out, ...SMALL_FLAGS, '--split', 'depth=2'],
    );
    refused(
      ended,
      /rank 0: on rank 1: \/proc\/self\/cwd\/data: dataset: expected dataset\.json, imagesTr or cases with segmentations, found nothing/,
    );
  });

  it('another data set', async () => {
    cpSync(path.join(a, 'data'), path.join(b, 'data'), { recursive: true });
    const bytes = readFileSync(image);
    writeFileSync(image, bytes.subarray(0, bytes.length - 1));
    const ended = await mpirunIn(
      [a, b],
      [COMMAND, 'train', '--data', DATA, ...out, ...SMALL_FLAGS, '--split', 'depth=2'],
    );
    refused(
      ended,
      /the data set of rank 1 differs from that of rank 0; expected case phantom_001, .* of \d+ bytes/,
    );
    writeFileSync(image, bytes);
  });

  it('a scan that cannot be read while others train: that rank says which file', async () => {
    const bytes = readFileSync(image);
    writeFileSync(image, Buffer.concat([bytes.subarray(0, 400), Buffer.alloc(bytes.length - 400, 0xff)]));
    const ended = await mpirunIn(
      [a, b],
      [COMMAND, 'train', '--data', DATA, ...out, ...SMALL_FLAGS, '--split', 'depth=2'],
    );
    writeFileSync(image, bytes);
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stderr).toMatch(
      /^halomesh: rank 1: \/proc\/self\/cwd\/data\/imagesTr\/phantom_001\.nii\.gz: /m,
    );
    expect(ended.stderr.match(/^halomesh: /gm)).toHaveLength(1);
  });

  it('no folder of the run', async () => {
    const flags = ['--run', `${HERE}/trained`, '--data', path.join(a, 'data'), '--split', 'depth=2'];
    const ended = await mpirunIn([a, b], [COMMAND, 'evaluate', ...flags]);
    refused(ended, /rank 0: on rank 1: \/proc\/self\/cwd\/trained: is no folder of a run; expected/);
  });

  it('another checkpoint', async () => {
    cpSync(path.join(a, 'trained'), path.join(b, 'trained'), { recursive: true });
    const config = { ...SMALL, steps: 2, data: path.join(a, 'data'), out: path.join(b, 'other'), threads: 1 };
    await train(resolveConfig(config));
    renameSync(
      path.join(b, 'other', 'checkpoints', 'best.safetensors'),
      path.join(b, 'trained', 'checkpoints', 'best.safetensors'),
    );
    const flags = ['--run', `${HERE}/trained`, '--data', path.join(a, 'data'), '--split', 'depth=2'];
    const ended = await mpirunIn([a, b], [COMMAND, 'evaluate', ...flags]);
    refused(ended, /the checkpoint of rank 1 differs from that of rank 0; expected step 1, found step 2/);
  });

  it('an augmentation that fails on one rank is told with the step and the case', async () => {
    const breaking = fileURLToPath(new URL('break-augment.mjs', import.meta.url));
    const args = [
      '--import',
      breaking,
      COMMAND,
      'train',
      '--data',
      path.join(a, 'data'),
      '--out',
      path.join(folder, 'augmented'),
      ...SMALL_FLAGS,
    ];
    const { code, stderr } = await mpirun(3, [...args, '--split', 'depth=3']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^halomesh: rank 2: step 1, augmentation of case phantom_\d+: a bad random number/m,
    );
    expect(stderr.match(/^halomesh: /gm)).toHaveLength(1);
  });
});
