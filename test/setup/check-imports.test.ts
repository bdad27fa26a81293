import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/check-imports.mjs', import.meta.url));
const trees: string[] = [];

afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

/** Runs the check on a temporary tree of files. */
function check(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'halomesh-imports-'));
  trees.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const good = {
  'src/index.ts': "export * from './train/train.ts';\n",
  'src/core/box.ts': 'export const box = 1;\n',
  'src/ops/conv.ts': "import { box } from '../core/box.ts';\nexport const conv = box;\n",
  'src/train/train.ts': "import { conv } from '../ops/conv.ts';\nexport const train = conv;\n",
  'src/core/box.test.ts': "import { conv } from '../ops/conv.ts';\n",
};

describe('check-imports', () => {
  it('passes a tree whose imports go downward, and tests that look upward', () => {
    const { status, stdout, stderr } = check(good);
    expect(stderr).toBe('');
    expect(stdout).toBe(
      'imports: 5 files and 4 imports in order, 0 files over 300 lines that say why, 0 of 0 skips\n',
    );
    expect(status).toBe(0);
  });

  it('names the file, the line and the rooms of every import that goes upward, types included', () => {
    const { status, stderr } = check({
      ...good,
      'src/core/box.ts': "// import '../cli/a.ts'\nimport type {\n  conv,\n} from '../ops/other.ts';\n",
      'src/ops/conv.ts': `const s = \`\${1} from '../cli/x.ts'\`;\nawait import('../plan/cost.ts');\n`,
      'src/nn/net.ts': "new Worker(new URL('../machine/worker.ts', import.meta.url));\n",
      'src/nn/net.test.ts': "import '../cli/main.ts';\n",
    });
    expect(stderr.split('\n')).toEqual([
      'src/core/box.ts:4 imports src/ops/other.ts: room core may not import room ops',
      'src/nn/net.test.ts:1 imports src/cli/main.ts: a test of room nn may not import room cli',
      'src/nn/net.ts:1 imports src/machine/worker.ts: room nn may not import room machine',
      'src/ops/conv.ts:2 imports src/plan/cost.ts: room ops may not import room plan',
      'imports: 4 problems',
      '',
    ]);
    expect(status).toBe(1);
  });

  it('keeps pure rooms free of Node.js: its modules, its globals, other packages, and files that are not pure', () => {
    const { status, stderr } = check({
      'src/core/a.ts':
        "import fs from 'node:fs';\nimport os from 'os';\nexport const a = [fs, os, process.pid];\n",
      'src/core/b.ts':
        "import { z } from 'zod';\nimport koffi from 'koffi';\nexport type { Stats } from 'node:fs';\n",
      'src/core/c.ts':
        "import { type Buffer, x } from './d.ts';\n// process\nexport const c = (b: Buffer) => ({ process: b.process, x });\n",
      'src/core/d.ts': 'export interface Buffer { process: string }\nexport const x = require;\n',
      'src/core/e.ts':
        'export const e = (b: Buffer): NodeJS.Platform | undefined => globalThis.process?.platform;\n',
      'src/core/f.ts':
        'export const f = ({ process, rank }: F): number => process + rank;\ninterface F {\n  process: number;\n  rank: number;\n}\n',
      'src/core/g.ts': 'const { env } = process;\nexport const g = env;\n',
      'src/core/a.test.ts': "import fs from 'node:fs';\nprocess.exit(fs ? 0 : 1);\n",
      'src/machine/calls/call.ts':
        "import type { L } from '../library.ts';\nimport {\n  type L as M,\n  l,\n} from '../library.ts';\nexport const c = l as L & M;\n",
      'src/machine/library.ts': "import koffi from 'koffi';\nexport type L = 1;\nexport const l = koffi;\n",
    });
    expect(stderr.split('\n')).toEqual([
      'src/core/a.ts:1 is pure and imports node:fs, which is of Node.js alone',
      'src/core/a.ts:2 is pure and imports os, which is of Node.js alone',
      'src/core/a.ts:3 is pure and uses process, which is of Node.js alone',
      'src/core/b.ts:2 is pure and imports the package koffi, which is not among those that run everywhere',
      'src/core/b.ts:3 is pure and imports node:fs, which is of Node.js alone',
      'src/core/d.ts:2 is pure and uses require, which is of Node.js alone',
      'src/core/e.ts:1 is pure and uses Buffer, which is of Node.js alone',
      'src/core/e.ts:1 is pure and uses NodeJS, which is of Node.js alone',
      'src/core/e.ts:1 is pure and uses process, which is of Node.js alone',
      'src/core/g.ts:1 is pure and uses process, which is of Node.js alone',
      'src/machine/calls/call.ts:5 is pure and imports src/machine/library.ts, which is not pure',
      'imports: 11 problems',
      '',
    ]);
    expect(status).toBe(1);
  });

  it('refuses imports from a lower room within a room to a higher one, and crowded folders', () => {
    const { status, stderr } = check({
      ...good,
      'src/imaging/dataset/a.ts': "import '../preprocess/b.ts';\n",
      'src/imaging/preprocess/b.ts': "import '../dataset/c.ts';\n",
      'src/imaging/dataset/c.ts': '',
      ...Object.fromEntries(Array.from({ length: 26 }, (_, i) => [`src/run/f${i}.ts`, ''])),
    });
    expect(stderr).toContain(
      'src/imaging/dataset/a.ts:1 imports src/imaging/preprocess/b.ts: imaging/dataset lies beneath imaging/preprocess\n',
    );
    expect(stderr).toContain('src/run holds 26 files: put those of one subject into a folder');
    expect(stderr).toContain('imports: 2 problems');
    expect(status).toBe(1);
  });

  it('refuses circles, unknown rooms, and files that import tests or leave src', () => {
    const { status, stderr } = check({
      'src/core/a.ts': "import './b.ts';\n",
      'src/core/b.ts': "import type { A } from './a.ts';\n",
      'src/core/c.ts': "import '../../scripts/x.mjs';\nimport './d.test.ts';\n",
      'src/util/x.ts': '',
    });
    expect(stderr).toContain(
      'src/core/b.ts:1 imports src/core/a.ts: circle src/core/a.ts -> src/core/b.ts -> src/core/a.ts',
    );
    expect(stderr).toContain('src/core/c.ts:1 imports scripts/x.mjs: src may not import from outside src');
    expect(stderr).toContain('src/core/c.ts:2 imports src/core/d.test.ts: only tests may import a test');
    expect(stderr).toContain('src/util/x.ts:1 stands in no room');
    expect(status).toBe(1);
  });

  it('refuses long files that do not say why, and skips beyond the allowed number', () => {
    const long = '//\n'.repeat(301);
    const skipping = "it.skip('a', f);\ndescribe.skip.each([1])('b', f);\nit.todo('c'); // it.skip('d')\n";
    const { status, stdout, stderr } = check({
      'src/core/long.ts': long,
      'native/long.cpp': `// Over 300 lines: one table\n${long}`,
      'test/skips.test.ts': skipping,
      'scripts/skips.json': '{ "skips": 2 }',
    });
    expect(stdout).toContain('note: native/long.cpp has 302 lines, and says why');
    expect(stderr).toContain('src/core/long.ts:1 has 301 lines');
    expect(stderr).toContain('allows 2 skipped tests and there are 3: test/skips.test.ts 3');
    expect(status).toBe(1);
  });
});
