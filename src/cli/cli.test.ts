import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { HalomeshError } from '../core/index.ts';
import { ImagingError } from '../imaging/index.ts';
import { mpiAvailable } from '../machine/index.ts';
import type { Info } from './actions/info.ts';
import { makeProgram, run } from './program.ts';
import { duration, type Output, showProgress } from './terminal/progress.ts';
import { errorLine, Interrupted, reportError } from './terminal/report-error.ts';
import { commandName, quoted } from './terminal/words.ts';

let dir: string;
let printed: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'halomesh-cli-'));
});
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(() => {
  printed = '';
  vi.spyOn(console, 'log').mockImplementation((text: string) => {
    printed += `${text}\n`;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Runs a command line; what it writes to stdout lies in `printed`. */
async function halomesh(...args: string[]): Promise<{ code: number; errors: string }> {
  let errors = '';
  const code = await run(args, (text) => {
    errors += text;
  });
  return { code, errors };
}

describe('help', () => {
  it('names every command, and every command has examples or says what it prints', async () => {
    expect(await halomesh('--help')).toEqual({ code: 0, errors: '' });
    const commands = ['train', 'evaluate', 'predict', 'plan', 'bench', 'phantom', 'fake-lesions', 'info'];
    for (const name of commands) expect(printed).toContain(`\n  ${name} `);
    expect(printed).toContain('Examples:');
    for (const name of commands) {
      printed = '';
      expect((await halomesh(name, '--help')).code, name).toBe(0);
      expect(printed, name).toContain(`Usage: halomesh ${name} [options]`);
      if (name !== 'info') expect(printed, name).toMatch(/Examples?:\n {2}halomesh/);
    }
  });

  it('is shown when nothing is asked for', async () => {
    expect((await halomesh()).code).toBe(0);
    expect(printed).toContain('Usage: halomesh');
  });

  it('has every flag that the commands share', () => {
    const flagsOf = (name: string): string[] =>
      makeProgram(() => {})
        .commands.find((command) => command.name() === name)!
        .options.map((option) => option.long ?? '');
    const shared =
      'data out config split mesh layout size spacing slices base levels steps batch precision device threads seed';
    for (const flag of shared.split(' ')) {
      expect(flagsOf('train')).toContain(`--${flag}`);
      expect(flagsOf('plan')).toContain(`--${flag}`);
    }
    expect(flagsOf('train')).toContain('--resume');
    for (const name of ['evaluate', 'plan', 'bench', 'info']) expect(flagsOf(name)).toContain('--json');
  });
});

describe('mistakes', () => {
  it.each([
    [
      ['train', '--splt', 'depth=2'],
      "halomesh: unknown option '--splt' (Did you mean --split?). See halomesh train --help\n",
    ],
    [['trian'], "halomesh: unknown command 'trian' (Did you mean train?). See halomesh --help\n"],
    [
      ['predict', '--run', 'r'],
      "halomesh: required option '--input <path>' not specified. See halomesh predict --help\n",
    ],
    [
      ['train', '--data', 'x'],
      'halomesh: --out: expected the folder of the run (or "out" in the config file), found nothing\n',
    ],
    [
      ['train', '--out', 'x'],
      'halomesh: --data: expected the folder of a data set (or "data" in the config file), found nothing\n',
    ],
    [
      ['phantom', '--out', 'x', '--mpp', '1'],
      'halomesh: --mpp: means nothing with --modality ct. It is one of --modality pathology\n',
    ],
    [
      ['phantom', '--out', 'x', '--size', '1025'],
      'halomesh: --size: value; expected a whole number of at least 8 and at most 1024, found "1025"\n',
    ],
    [
      ['bench', '--size', 'big'],
      'halomesh: --size: value; expected a whole number of at least 1 and at most 46340, found "big"\n',
    ],
    [
      ['plan'],
      'halomesh: --size: expected the voxels along each side, or --data, found neither. Try: halomesh plan --size 128\n',
    ],
    [
      ['plan', '--size', '8', '--split', 'depth=2', '--mesh', 'rows=2'],
      'halomesh: --split: cannot stand beside --mesh. Give one or the other\n',
    ],
    [
      ['bench', '--mesh', 'rows=2'],
      'halomesh: --mesh: needs --layout. Say which dimension each axis cuts, such as --layout depth:rows,height:cols\n',
    ],
  ])('of usage are one line and end with 2: %j', async (args, expected) => {
    expect(await halomesh(...args)).toEqual({ code: 2, errors: expected });
    expect(printed).toBe('');
  });

  it('in a config name the file and the key, and end with 1', async () => {
    const file = join(dir, 'bad.json');
    writeFileSync(file, '{"steps": "many"}');
    const run = ['--data', dir, '--out', join(dir, 'r')];
    const { code, errors } = await halomesh('train', '--config', file, ...run);
    expect(code).toBe(1);
    expect(errors).toMatch(/^halomesh: .*bad\.json "steps": .*a whole number of at least 1.*"many"\n$/);
    const missing = await halomesh('train', '--data', join(dir, 'none'), '--out', join(dir, 'r'));
    expect(missing.code).toBe(1);
    expect(missing.errors).toMatch(/^halomesh: .*none: .*nothing at this path.*\n$/);
    expect(existsSync(join(dir, 'r'))).toBe(false);
  });

  it('of every kind are one line; a stack is shown only when it is asked for', () => {
    expect(errorLine(new HalomeshError({ where: 'mesh', problem: 'a\n  b' }))).toBe('mesh: a b');
    expect(errorLine(new ImagingError({ file: 'a.nii', field: 'dim', expected: '3', found: '2' }))).toBe(
      'a.nii: dim: expected 3, found 2',
    );
    const parsed = z.object({ steps: z.number() }).safeParse({ steps: 'x' });
    expect(errorLine(parsed.error)).toMatch(/^"steps": Invalid input/);
    expect(errorLine(Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }))).toBe(
      'ENOENT: no such file',
    );
    expect(errorLine(new TypeError('x is not a function'))).toContain(
      'unexpected error: x is not a function',
    );

    const written = (error: unknown): string => {
      let text = '';
      reportError(error, (part) => {
        text += part;
      });
      return text;
    };
    const error = new HalomeshError({ where: 'a', problem: 'b' }, { cause: new Error('deeper') });
    expect(written(error)).toBe('halomesh: a: b\n');
    vi.stubEnv('HALOMESH_DEBUG', '1');
    expect(written(error)).toMatch(
      /^halomesh: a: b\nHalomeshError: a: b\n {4}at [\s\S]*caused by Error: deeper\n/,
    );
    expect(reportError(new Interrupted('saved'), () => {})).toBe(130);
  });
});

describe('info', () => {
  it('tells what there is, as JSON too', async () => {
    const { code } = await halomesh('info', '--json');
    expect(code).toBe(0);
    const facts = JSON.parse(printed) as Info;
    expect(facts.version).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
    expect(facts.node).toBe(process.versions.node);
    expect(facts.devices.map(({ name }) => name)).toEqual(['cpu', 'cuda', 'wasm', 'webgpu', 'reference']);
    const { chosen, sets } = facts.instructionSet;
    expect(sets.find(({ name }) => name === chosen)).toMatchObject({ built: true, supported: true });
    expect(facts.threads).toBeGreaterThan(0);
    expect(facts.memory.totalBytes).toBeGreaterThan(2 ** 20);
    expect(facts.mpi).toEqual(mpiAvailable());
    printed = '';
    await halomesh('info');
    expect(printed).toContain(`instruction set   ${chosen}`);
  });
});

describe('plan', () => {
  it('needs no data set when it is told the size', async () => {
    const size = ['plan', '--size', '16', '--base', '4', '--levels', '2'];
    expect(await halomesh(...size, '--split', 'depth=2,height=2', '--json')).toEqual({ code: 0, errors: '' });
    const report = JSON.parse(printed);
    expect(report).toMatchObject({ shape: [16, 16, 16], batch: 1, mesh: 'depth=2 height=2' });
    expect(report.ranks).toHaveLength(4);
    expect(report.bytesSent.total).toBeGreaterThan(0);
    printed = '';
    await halomesh(...size, '--batch', '2', '--mesh', 'r=2', '--layout', 'batch:r', '--classes', '5');
    expect(printed).toMatch(
      /^volume +batch 2, depth 16, height 16, width 16\nnetwork +base 4, 2 levels, 5 classes, f32\n/,
    );
  });

  it('plans the largest case of a data set, as it will be prepared', async () => {
    const out = join(dir, 'phantom');
    expect(
      (await halomesh('phantom', '--out', out, '--size', '12', '--cases', '2', '--spacing', '8')).code,
    ).toBe(0);
    expect(printed).toContain('2 cases of 12^3 written to');
    expect(JSON.parse(readFileSync(join(out, 'dataset.json'), 'utf8')).training).toHaveLength(2);
    printed = '';
    const flags = ['plan', '--data', out, '--base', '2', '--levels', '2', '--json'];
    expect((await halomesh(...flags, '--spacing', '16')).code).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({
      shape: [6, 6, 6],
      case: 'phantom_000',
      classes: ['background', 'liver', 'tumour'],
    });
    printed = '';
    await halomesh(...flags);
    expect(JSON.parse(printed).shape).toEqual([12, 12, 12]);
  });
});

describe('progress', () => {
  /** An output that keeps what is written; the clock stands still until it is moved. */
  function output(isTTY: boolean) {
    const stream = new PassThrough();
    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
    });
    const now = { ms: 0 };
    const target = Object.assign(stream, { isTTY, columns: 120 }) as unknown as Output;
    return { options: { output: target, clock: () => now.ms }, now, text: () => text };
  }

  it('is a line now and then where there is no terminal', async () => {
    const { options, now, text } = output(false);
    const progress = showProgress({ ...options, unit: 'step', total: 20, every: 5 });
    for (let step = 1; step <= 20; step++) {
      now.ms += 1000;
      progress.update(step, [`loss ${step}`]);
    }
    progress.stop();
    await new Promise(setImmediate);
    expect(text().split('\n')).toEqual([
      'step 1/20, loss 1, 0:19 left',
      'step 6/20, loss 6, 0:14 left',
      'step 11/20, loss 11, 0:09 left',
      'step 16/20, loss 16, 0:04 left',
      'step 20/20, loss 20',
      '',
    ]);
  });

  it('is a bar on a terminal, with facts and the time left, and lines above it', async () => {
    const { options, now, text } = output(true);
    const listeners = process.listenerCount('exit');
    const progress = showProgress({ ...options, unit: 'step', total: 10, start: 4 });
    for (let step = 5; step <= 8; step++) {
      now.ms += 60_000;
      progress.update(step, ['loss 0.5']);
    }
    progress.note('hello');
    progress.stop();
    await new Promise(setImmediate);
    expect(text()).toMatch(/step 8\/10 .*80% \| loss 0\.5 \| 2:00 left/);
    expect(text()).toContain('hello\n');
    expect(process.listenerCount('exit')).toBe(listeners);
  });

  it('writes durations as clocks do', () => {
    const shown = [0, 59.6, 61, 3600, 36_061].map(duration);
    expect(shown.join(' ')).toBe('0:00 1:00 1:01 1:00:00 10:01:01');
  });
});

describe('words', () => {
  it('name the command as it was called, and quote what a shell would split', () => {
    expect(commandName(['node', '/usr/bin/halomesh'], {})).toBe('halomesh');
    expect(commandName(['node', '/x/.bin/halomesh'], { npm_command: 'exec' })).toBe('npx halomesh');
    expect(commandName(['node', '/x/bin/halomesh.js'], {})).toBe('npx halomesh');
    expect(quoted('runs/a-1.b')).toBe('runs/a-1.b');
    expect(quoted("my run's")).toBe("'my run'\\''s'");
    const odd = "it's\n\u001b\u009b\\";
    expect(quoted(odd)).not.toMatch(/\p{Cc}/u);
    const env = { ...process.env, LC_ALL: 'C.UTF-8' };
    expect(spawnSync('bash', ['-c', `printf %s ${quoted(odd)}`], { encoding: 'utf8', env }).stdout).toBe(odd);
  });
});
