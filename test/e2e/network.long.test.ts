import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

// The module of the docs from the command line: residual blocks, attention gates, SiLU; two channels; Tversky and focal loss.

const place = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-example-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const halomesh = (...flags: string[]): string =>
  execFileSync(process.execPath, [place('bin/halomesh.js'), ...flags], { cwd: folder, encoding: 'utf8' });

it('the network of docs/examples trains, goes on, evaluates and predicts', () => {
  halomesh('phantom', '--out', 'data', '--size', '12', '--cases', '2', '--modality', 'mr', '--channels', '2');
  const flags = ['--data', 'data', '--out', 'run', '--network', place('docs/examples/network.mjs')];
  halomesh(
    'train',
    ...flags,
    '--loss',
    'tversky+focal',
    '--steps',
    '3',
    '--checkpoint-every',
    '2',
    '--deep-supervision',
  );
  halomesh('train', '--out', 'run', '--resume', '--steps', '5');
  const steps = readFileSync(path.join(folder, 'run/log.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"kind":"step"'))
    .map((line) => JSON.parse(line).loss as number);
  expect(steps).toHaveLength(5);
  expect(steps.every(Number.isFinite)).toBe(true);
  expect(steps[4]).toBeLessThan(steps[0]);
  expect(readFileSync(path.join(folder, 'run/network.mjs'), 'utf8')).toBe(
    readFileSync(place('docs/examples/network.mjs'), 'utf8'),
  );
  expect(halomesh('evaluate', '--run', 'run', '--data', 'data')).toContain('liver');
  halomesh('predict', '--run', 'run', '--input', 'data/imagesTr', '--output', 'labels');
  expect(existsSync(path.join(folder, 'labels'))).toBe(true);
});
