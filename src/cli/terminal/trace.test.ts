import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../program.ts';

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
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs a command line; what it writes to stdout lies in `printed`. */
async function halomesh(...args: string[]): Promise<{ code: number; errors: string }> {
  let errors = '';
  const code = await run(args, (text) => {
    errors += text;
  });
  return { code, errors };
}

describe('--trace', () => {
  const small = ['--size', '8', '--base', '2', '--levels', '2', '--steps', '2'];

  it('of bench writes a file that opens in Perfetto, and lists the kernels', async () => {
    const file = join(dir, 'step.json');
    expect(await halomesh('bench', ...small, '--split', 'depth=2', '--trace', file)).toMatchObject({
      code: 0,
    });
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: { name: string }[] };
    expect(
      traceEvents.filter(({ name }) => /^(warm-up|step \d)$/.test(name)).map(({ name }) => name),
    ).toEqual(['warm-up', 'step 1', 'step 2']);
    expect(printed).toMatch(/^volume[\s\S]*\n\| kernel +\| layer[\s\S]*\| conv +\| \S+ +\|/);
  });

  it('of train and predict writes one too, with the names of the steps', async () => {
    const data = join(dir, 'traced-data');
    await halomesh('phantom', '--out', data, '--size', '12', '--cases', '2');
    const run = join(dir, 'traced-run');
    const [training, prediction] = [join(dir, 'train.json'), join(dir, 'predict.json')];
    const flags = ['--base', '2', '--levels', '2', '--steps', '2', '--trace', training];
    expect(await halomesh('train', '--data', data, '--out', run, ...flags)).toEqual({ code: 0, errors: '' });
    expect(readFileSync(training, 'utf8')).toContain('{"name":"step 2","ph":"X"');
    expect(readFileSync(join(run, 'config.json'), 'utf8')).not.toContain('"trace"');
    const input = join(data, 'imagesTr', readdirSync(join(data, 'imagesTr'))[0]);
    const files = ['--input', input, '--output', join(dir, 'out.nii'), '--trace', prediction];
    expect(await halomesh('predict', '--run', run, ...files)).toEqual({ code: 0, errors: '' });
    expect(readFileSync(prediction, 'utf8')).toContain('{"name":"predict 12x12x12 (run 1)","ph":"X"');
  });

  it('is no file that is read, to any of them', async () => {
    const data = join(dir, 'read-data');
    const at = join(dir, 'read-run');
    const [settings, held] = [join(dir, 'settings.json'), join(dir, 'held.json')];
    await halomesh('phantom', '--out', data, '--size', '12', '--cases', '2');
    writeFileSync(settings, '{"base":2,"levels":2,"steps":1}');
    writeFileSync(held, '["phantom_001"]');
    const training = ['train', '--data', data, '--out', at, '--config', settings, '--validation', held];
    expect((await halomesh(...training)).code).toBe(0);
    const input = join(data, 'imagesTr', readdirSync(join(data, 'imagesTr'))[0]);
    const predict = ['predict', '--run', at, '--input', input, '--output', join(dir, 'read.nii')];
    const again = ['train', '--out', at, '--resume', '--steps', '2'];
    const init = [...training, '--out', join(dir, 'next-run'), '--init', at];
    const run = ['config.json', 'log.jsonl', 'checkpoints/latest.safetensors'].map((name) => join(at, name));
    const tries: [string[], string[]][] = [
      [predict, [input, ...run]],
      [again, [join(data, 'dataset.json'), ...run]],
      [init, [settings, held, ...run]],
    ];
    for (const [command, files] of tries)
      for (const file of files) {
        const before = readFileSync(file);
        const { code, errors } = await halomesh(...command, '--trace', file, '--overwrite');
        expect(errors).toContain(`halomesh: ${file}: the output is a file that is read; found`);
        expect([code, readFileSync(file).equals(before)]).toEqual([1, true]);
      }
  });

  it('that cannot be written ends the command before it runs', async () => {
    const file = join(dir, 'none', 'step.json');
    expect(await halomesh('bench', ...small, '--trace', file)).toEqual({
      code: 1,
      errors: `halomesh: trace ${file}: cannot be written: its folder is not there\n`,
    });
    expect(printed).toBe('');
  });
});
