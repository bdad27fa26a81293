import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { replaceSections, writeSections } from './document.ts';

const section = (key: string, body: string) => ({ key, title: `About ${key}`, body });

it('puts sections in their order, whatever order they are measured in', () => {
  const text = replaceSections('', '# Head', [section('steps', 'S'), section('machine', 'M')]);
  expect(text).toBe(`# Head

<!-- begin machine -->
## About machine

M
<!-- end machine -->

<!-- begin steps -->
## About steps

S
<!-- end steps -->
`);
});

it('replaces its own sections and leaves the others as they are, byte for byte', () => {
  const first = replaceSections('', '# Head', [section('steps', 'a\n\n| b |\n'), section('kernels', 'K')]);
  const second = replaceSections(first, '# New head', [section('kernels', 'K2 $& $1')]);
  expect(second).toBe(first.replace('# Head', '# New head').replace('K\n', () => 'K2 $& $1\n'));
  expect(replaceSections(second, '# New head', [])).toBe(second);
});

it('writes a file that may not be there yet, and leaves nothing else', () => {
  const dir = mkdtempSync(join(tmpdir(), 'halomesh-bench-'));
  const file = join(dir, 'sub', 'benchmarks.md');
  writeSections(file, '# Head', [section('voxel', 'V')]);
  writeSections(file, '# Head', [section('memory', 'M')]);
  const text = readFileSync(file, 'utf8');
  expect(text.indexOf('V')).toBeLessThan(text.indexOf('## About memory'));
  expect(readdirSync(join(dir, 'sub'))).toEqual(['benchmarks.md']);
  rmSync(dir, { recursive: true });
});
