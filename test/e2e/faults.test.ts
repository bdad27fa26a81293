import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { readScan, writeNifti, writePhantom } from '../../src/imaging/index.ts';
import { readLog, runFolder } from '../../src/train/index.ts';
import { temporaryFolder } from '../imaging/nifti-fixture.ts';
import { withSmallDisk } from '../small-disk.ts';

// What is wrong with a data set, met by every command of the life cycle: one error that names file and field, an exit code, and
// nothing half-written. Once it is repaired the same command goes on.

const root = temporaryFolder();
const good = path.join(root, 'good');
const trained = path.join(root, 'trained');
const SMALL = ['--base', '2', '--levels', '2', '--threads', '1'];
let told: string;

const halomesh = (...args: string[]): Promise<number> =>
  run(args, (text) => {
    told += text;
  });

beforeAll(async () => {
  await writePhantom({ out: good, size: 16, cases: 3 });
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  told = '';
  expect(await halomesh('train', '--data', good, '--out', trained, ...SMALL, '--steps', '6'), told).toBe(0);
});
beforeEach(() => {
  told = '';
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** All files below a folder. */
const filesIn = (dir: string): string[] =>
  existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort() : [];

/** A command ends with 1 and one line, and leaves no unfinished file anywhere. */
async function fails(said: RegExp, ...args: string[]): Promise<void> {
  told = '';
  expect(await halomesh(...args)).toBe(1);
  expect(told).toMatch(said);
  expect(told).toMatch(/^halomesh: [^\n]*\n$/);
  expect(filesIn(root).filter((file) => file.endsWith('.partial'))).toEqual([]);
}

const losses = async (dir: string): Promise<number[]> =>
  (await readLog(runFolder(dir).log)).flatMap((line) => (line.kind === 'step' ? [line.loss] : []));

interface Fault {
  readonly name: string;
  /** The file at fault, below the data set. */
  readonly file: string;
  readonly spoil: (file: string) => Promise<void> | void;
  /** What errors say after the file's name. */
  readonly said: string;
  /** Whether the scan alone, without its label map, is at fault. */
  readonly scan: boolean;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'a scan that is cut off',
    file: 'imagesTr/phantom_001.nii.gz',
    spoil: (file) => truncateSync(file, Math.floor(readFileSync(file).length * 0.6)),
    said: 'gzip stream: expected a complete stream, found a stream that is cut short',
    scan: true,
  },
  {
    name: 'NaN voxels',
    file: 'imagesTr/phantom_001.nii.gz',
    spoil: async (file) => {
      const volume = await readScan(file);
      const data = Float32Array.from(volume.data as Int16Array);
      data.fill(Number.NaN, 1000, 1010);
      await writeNifti(file, { ...volume, data }, { type: 'float32' });
    },
    said: 'voxels?\\b.*: expected .*finite.*, found',
    scan: true,
  },
  {
    name: 'a label map on another grid',
    file: 'labelsTr/phantom_001.nii.gz',
    spoil: async (file) => {
      const volume = await readScan(file);
      const affine = volume.affine.map((x, i) => (i % 4 === 3 ? x + 1000 : x));
      await writeNifti(
        file,
        { ...volume, affine: affine as unknown as typeof volume.affine },
        { type: 'uint8' },
      );
    },
    said: '.*expected .*, found',
    scan: false,
  },
];

describe.each(FAULTS)('$name', ({ name, file, spoil, said, scan }) => {
  const data = path.join(root, name.replaceAll(' ', '-'));
  const error = new RegExp(`${name.replaceAll(' ', '-')}/${file.replaceAll('.', '\\.')}: ${said}`);
  const place = (what: string): string => `${data}-${what}`;
  const repair = (): void => cpSync(path.join(good, file), path.join(data, file));

  beforeEach(async () => {
    if (!existsSync(data)) cpSync(good, data, { recursive: true });
    repair();
    await spoil(path.join(data, file));
  });

  it('is found by verify', async () => {
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(String(text)));
    await fails(/ has \d faults?\n$/, 'verify', data);
    expect(printed.join('\n')).toMatch(error);
  });

  it('keeps preprocess from one case alone; the same command goes on once it is repaired', async () => {
    const out = place('store');
    const notes: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => notes.push(String(text)) > 0);
    const command = ['preprocess', '--data', data, '--out', out, '--jobs', '1'];
    await fails(/1 of 3 cases could not be prepared: phantom_001\. Repair/, ...command);
    expect(notes.join('')).toMatch(error);
    repair();
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(String(text)));
    expect(await halomesh(...command)).toBe(0);
    expect(printed[0]).toMatch(/^1 cases written to .*, 2 were there$/);
  });

  it('ends train with whole files; --resume goes on once it is repaired', async () => {
    const out = place('run');
    const flags = [...SMALL, '--steps', '6', '--checkpoint-every', '1'];
    await fails(error, 'train', '--data', data, '--out', out, ...flags);
    repair();
    // What ended before it had a config left no run.
    const again = existsSync(runFolder(out).config) ? ['--resume'] : ['--data', data, ...flags];
    told = '';
    expect(await halomesh('train', '--out', out, ...again), told).toBe(0);
    expect(await losses(out)).toEqual(await losses(trained));
  });

  it('ends evaluate without scores', async () => {
    const out = place('scores');
    await fails(error, 'evaluate', '--run', trained, '--data', data, '--out', out);
    expect(filesIn(out).filter((found) => /summary/.test(found))).toEqual([]);
  });

  // Prediction needs no label map.
  if (scan)
    it('ends predict without an output', async () => {
      const output = place('labels.nii.gz');
      await fails(error, 'predict', '--run', trained, '--input', path.join(data, file), '--output', output);
      expect(existsSync(output)).toBe(false);
    });
});

describe('an empty data set', () => {
  const data = path.join(root, 'empty');
  beforeAll(() => {
    for (const folder of ['imagesTr', 'labelsTr']) mkdirSync(path.join(data, folder), { recursive: true });
    const labels = { 0: 'background', 1: 'liver' };
    writeFileSync(path.join(data, 'dataset.json'), JSON.stringify({ name: 'empty', labels, training: [] }));
  });

  it.each([
    ['fingerprint', [data]],
    ['preprocess', ['--data', data, '--out', `${data}-store`]],
    ['train', ['--data', data, '--out', `${data}-run`]],
    ['evaluate', ['--run', trained, '--data', data, '--out', `${data}-scores`]],
  ] as [string, string[]][])('is refused by %s, which writes nothing', async (command, flags) => {
    await fails(/^halomesh: \S*empty: .*\bcase/, command, ...flags);
    for (const out of ['store', 'run', 'scores']) expect(filesIn(`${data}-${out}`)).toEqual([]);
  });
});

it('verify finds an empty data set', async () => {
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(String(text)));
  await fails(/empty has 1 fault\n$/, 'verify', path.join(root, 'empty'));
  expect(printed.join('\n')).toMatch(/fault: \S*empty: .*case/);
});

it('a full disk ends preprocess with an error that names the file; the same command goes on', async (test) => {
  await withSmallDisk(test, 4, async (disk) => {
    const out = path.join(disk.dir, 'store');
    const command = ['preprocess', '--data', good, '--out', out, '--size', '24', '--jobs', '1'];
    const notes: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      if (notes.length === 0) disk.full();
      notes.push(String(text));
      return true;
    });
    expect(await halomesh(...command)).toBe(1);
    expect(notes.join('') + told).toMatch(/\/store\/\S+: .*ENOSPC/);
    expect(filesIn(disk.dir).filter((file) => file.endsWith('.partial'))).toEqual([]);
    disk.full(false);
    told = '';
    expect(await halomesh(...command), told).toBe(0);
    const whole = path.join(root, 'whole-store');
    expect(
      await halomesh('preprocess', '--data', good, '--out', whole, '--size', '24', '--jobs', '1'),
      told,
    ).toBe(0);
    expect(contents(out)).toEqual(contents(whole));
  });
});

/** Bytes of all files below a folder, as text. */
const contents = (dir: string): Record<string, string> =>
  Object.fromEntries(
    filesIn(dir)
      .filter((file) => statSync(path.join(dir, file)).isFile())
      .map((file) => [file, readFileSync(path.join(dir, file), 'base64')]),
  );

describe('Ctrl-C', () => {
  const large = path.join(root, 'large');
  const bin = fileURLToPath(new URL('../../bin/halomesh.js', import.meta.url));
  beforeAll(async () => {
    await writePhantom({ out: large, size: 40, cases: 6 });
  });

  /** The exit code of a command, and what it said, that is interrupted once it says something. */
  function interrupted(at: RegExp, args: readonly string[], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env } });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (!at.test(err) && at.test(err + text)) child.kill('SIGINT');
      err += text;
    });
    child.stdout.resume();
    return new Promise<{ code: number | null; err: string }>((resolve) =>
      child.on('close', (code) => resolve({ code, err })),
    );
  }

  it('in preprocess keeps whole cases, and the same command goes on', async () => {
    const [out, whole] = [path.join(root, 'cut-store'), path.join(root, 'uncut-store')];
    const command = (store: string) => ['preprocess', '--data', large, '--out', store, '--jobs', '1'];
    const { code, err } = await interrupted(/case 1\/6/, command(out));
    expect(code).toBe(130);
    expect(err).toMatch(/stopped with [1-5] cases finished\. The same command goes on\n$/);
    expect(await halomesh(...command(out))).toBe(0);
    expect(await halomesh(...command(whole))).toBe(0);
    expect(contents(out)).toEqual(contents(whole));
  });

  it('in evaluate leaves no scores', async () => {
    const out = path.join(root, 'cut-scores');
    const command = ['evaluate', '--run', trained, '--data', large, '--all', '--out', out];
    expect((await interrupted(/case 1\/6/, command)).code).toBe(130);
    expect(filesIn(out).filter((file) => /summary|partial/.test(file))).toEqual([]);
  });

  it('in predict leaves no file', async () => {
    const output = path.join(root, 'cut.nii.gz');
    const input = path.join(large, 'imagesTr', 'phantom_000.nii.gz');
    const command = ['predict', '--run', trained, '--input', input, '--output', output];
    // Every kernel is told.
    expect((await interrupted(/conv/, command, { HALOMESH_DEBUG: '2' })).code).toBe(130);
    expect(filesIn(root).filter((file) => /^cut\.nii/.test(file))).toEqual([]);
    expect(await halomesh(...command)).toBe(0);
    expect(existsSync(output)).toBe(true);
  });
});
