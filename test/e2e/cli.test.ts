import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScan, readScanHeader } from '../../src/imaging/index.ts';

// The command as users run it: bin/halomesh.js and dist/, which the set-up builds before the tests.

const bin = fileURLToPath(new URL('../../bin/halomesh.js', import.meta.url));
let dir: string;

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command in the test's folder; `watch` is told of what appears on stderr, `started` gets the process. */
function halomesh(
  args: string,
  watch?: (err: string, child: ChildProcess) => void,
  started?: (child: ChildProcess) => void,
): Promise<Outcome> {
  const child = spawn(process.execPath, [bin, ...args.split(' ')], { cwd: dir });
  started?.(child);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    watch?.(err, child);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

const log = (run: string): { readonly kind: string; readonly step: number; readonly loss: number }[] =>
  readFileSync(join(dir, run, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const losses = (run: string): number[] =>
  log(run)
    .filter(({ kind }) => kind === 'step')
    .map(({ loss }) => loss);

const small = '--base 4 --levels 3 --threads 1';

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'halomesh-e2e-'));
  const { code, err } = await halomesh('phantom --out data --size 20 --cases 2');
  expect(err).toMatch(/slice 40\/40/);
  expect(code).toBe(0);
  const trained = await halomesh(`train --data data --out a ${small} --steps 20 --split depth=2,height=2`);
  expect(trained.err).toMatch(/step 1\/20, loss 0\.\d+.*s\/step[\s\S]*step 20\/20/);
  expect(trained.out).toContain('4 ranks (depth=2 height=2)');
  expect(trained.out).toMatch(/done {6}20 steps in \d+ s, loss/);
  expect(trained.code).toBe(0);
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('halomesh', () => {
  it('writes the trace of what was done when it is interrupted', async () => {
    const flags = '--size 32 --base 4 --steps 1000 --threads 1 --trace cut.json';
    const { code } = await halomesh(`bench ${flags}`, (err, child) => {
      if (/step [1-9]/.test(err)) child.kill('SIGINT');
    });
    expect(code).toBe(130);
    const { traceEvents } = JSON.parse(readFileSync(join(dir, 'cut.json'), 'utf8')) as {
      traceEvents: { name: string }[];
    };
    expect(traceEvents.some(({ name }) => name === 'conv')).toBe(true);
    expect(traceEvents.some(({ name }) => /^step \d+$/.test(name))).toBe(true);
  });

  it('leaves the whole config, the log, checkpoints and the curves in the run folder', () => {
    const config = JSON.parse(readFileSync(join(dir, 'a/config.json'), 'utf8'));
    expect(config).toMatchObject({
      steps: 20,
      base: 4,
      mesh: { depth: 2, height: 2 },
      learningRate: expect.any(Number),
    });
    expect(losses('a')).toHaveLength(20);
    for (const file of ['checkpoints/latest.safetensors', 'checkpoints/best.safetensors', 'progress.png'])
      expect(existsSync(join(dir, 'a', file)), file).toBe(true);
  });

  it('gives the same losses however the volume is split', async () => {
    await halomesh(`train --data data --out b ${small} --steps 20 --mesh x=3 --layout width:x`);
    const [a, b] = [losses('a'), losses('b')];
    a.forEach((loss, n) => {
      expect(Math.abs(b[n] - loss) / Math.abs(loss)).toBeLessThan(1e-5);
    });
  });

  it('stops in order on Ctrl-C, says how to resume, and resumes bit for bit', async () => {
    const run = `train --data data --out c ${small} --steps 20 --split depth=2,height=2`;
    let sent = false;
    const stopped = await halomesh(run, (err, child) => {
      if (!sent && err.includes('step 1/20')) sent = child.kill('SIGINT');
    });
    expect(stopped.code).toBe(130);
    expect(stopped.err).toMatch(/Stopping after this step\. Press Ctrl-C again/);
    const [, step, command] = /stopped after step (\d+) of 20 and saved\. Resume with: (.*)\n$/.exec(
      stopped.err,
    )!;
    expect(command).toBe('npx halomesh train --out c --resume');
    expect(log('c')).toHaveLength(Number(step));
    const resumed = await halomesh('train --out c --resume');
    expect(resumed.out).toContain(`goes on with step ${Number(step) + 1} of 20`);
    expect(resumed.code).toBe(0);
    expect(losses('c')).toEqual(losses('a'));
  });

  it('leaves no half-written file when a signal ends it, and after a kill the next start removes it', async () => {
    const images = join(dir, 'large/imagesTr');
    const partials = (): string[] =>
      existsSync(images) ? readdirSync(images).filter((name) => name.endsWith('.partial')) : [];
    /** Starts to write a phantom and sends the signal once there is half a file; anew where it was whole before that. */
    const cut = async (signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<Outcome> => {
      for (;;) {
        let timer: NodeJS.Timeout | undefined;
        const done = await halomesh('phantom --out large --size 256 --cases 1', undefined, (child) => {
          timer = setInterval(() => partials().length > 0 && child.kill(signal), 5);
        });
        clearInterval(timer);
        if (!existsSync(join(images, 'phantom_000.nii.gz'))) return done;
        rmSync(join(dir, 'large'), { recursive: true });
      }
    };
    expect((await cut('SIGTERM')).code).toBe(143);
    expect(partials()).toEqual([]);
    expect((await cut('SIGINT')).code).toBe(130);
    expect(partials()).toEqual([]);
    expect((await cut('SIGKILL')).code).toBe(null);
    expect(partials()).toHaveLength(1);
    expect((await halomesh('phantom --out large --size 8 --cases 1')).code).toBe(0);
    expect(readdirSync(images)).toEqual(['phantom_000.nii.gz']);
  });

  it('refuses to train into a folder that holds a run', async () => {
    const { code, err } = await halomesh(`train --data data --out a ${small} --steps 20`);
    expect(code).toBe(1);
    expect(err).toMatch(/^halomesh: .*--resume.*\n$/);
    expect(err.split('\n')).toHaveLength(2);
  });

  it('evaluates, on another split too', async () => {
    const { code, out } = await halomesh('evaluate --run a --data data --json');
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report.original.cases.map((one: { id: string }) => one.id)).toEqual([
      'phantom_000',
      'phantom_001',
    ]);
    const other = await halomesh('evaluate --run a --json --split width=3 --overwrite');
    expect(JSON.parse(other.out).original).toEqual(report.original);
    const shown = await halomesh('evaluate --run a --tolerance liver=3 --out scores');
    expect(shown.out).toMatch(/Dice of 2 training cases\. The network was trained on these cases/);
    expect(shown.out).toMatch(/case +kind +liver +tumour +accuracy\nphantom_000 +training /);
    expect(shown.out).toMatch(/surface Dice at liver 3 mm, tumour 2 mm\n/);
    const cleaned = await halomesh(
      'evaluate --run a --out c --flips width --min-size liver=1e9 --json --no-overlays',
    );
    const { settings, flips, original } = JSON.parse(cleaned.out);
    expect([settings.cleaning, flips]).toEqual([{ minSize: { liver: 1e9 } }, ['width']]);
    expect(original.classes[1].global.predictedVoxels).toBe(0);
    // In the run, and where it was told to.
    for (const folder of ['a/evaluation', 'scores'])
      for (const file of ['summary.json', 'summary.md', 'overlays/phantom_001.png'])
        expect(existsSync(join(dir, folder, file)), file).toBe(true);
    expect(JSON.parse(readFileSync(join(dir, 'a/evaluation/summary.json'), 'utf8')).original).toEqual(
      report.original,
    );
  });

  it('evaluates label maps without a network', async () => {
    const { code, out } = await halomesh('evaluate --predictions data/labelsTr --data data --out same');
    expect(code).toBe(0);
    expect(out).toMatch(/^data\/labelsTr against data; Dice:\n/);
    expect(out).toMatch(/phantom_000 +1\.0000 +(1\.0000|-) +1\.0000\n/);
    const refused = await halomesh('evaluate --predictions data/labelsTr --data data --split depth=2');
    expect([refused.code, refused.err]).toEqual([
      2,
      'halomesh: --predictions: cannot stand beside --split. Label maps are compared without a network\n',
    ]);
    expect((await halomesh('evaluate --data data')).err).toContain(
      'expected --run <run> or --predictions <dir>',
    );
  });

  it('predicts onto the grid of the scan', async () => {
    const input = 'data/imagesTr/phantom_000.nii.gz';
    const { code, out } = await halomesh(
      `predict --run a --input ${input} --output out.nii.gz --split depth=4`,
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^out\.nii\.gz {2}20 x 20 x 20 voxels, (best|latest) checkpoint, 20 steps\n/);
    const [written, scan] = [join(dir, 'out.nii.gz'), join(dir, input)];
    expect((await readScanHeader(written)).affine).toEqual((await readScanHeader(scan)).affine);
    const labels = (await readScan(written)).data;
    expect(labels).toHaveLength(8000);
    expect(Math.max(...labels)).toBeLessThan(3);
  });

  it('measures training steps', async () => {
    const { code, out } = await halomesh(
      'bench --size 16 --base 4 --levels 2 --steps 2 --split depth=2 --json',
    );
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ size: 16, ranks: 2, precision: 'f32' });
    expect(result.secondsPerStep.min).toBeGreaterThan(0);
    expect(result.bytesSentPerStep).toBe(result.predictedBytesSentPerStep);
  });

  it('ends in order when nobody reads its output', async () => {
    const child = spawn(process.execPath, [bin, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (text) => {
      err += text;
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(err).toBe('');
  });
});
