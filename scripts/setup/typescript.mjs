// TypeScript: src/ to dist/ with tsc, when a source, a tsconfig or the lock file changed.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf, isTestFile, readText, run, SetupError, secondsSince, walk, writeAtomic } from './common.mjs';

const stampPath = (root) => join(root, 'build/stamps/typescript');
const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const tsc = (root) => join(root, 'node_modules/typescript/bin/tsc');

/** An installed copy of the package has dist/ and no src/. */
const sourcesOf = (root) =>
  existsSync(join(root, 'tsconfig.build.json'))
    ? walk(join(root, 'src')).filter((file) => file.endsWith('.ts') && !isTestFile(file))
    : [];

const sourceHash = (root, sources) =>
  hashOf(
    ...settings.map((file) => readText(join(root, file)) ?? ''),
    ...sources.flatMap((file) => [file, readText(join(root, 'src', file)) ?? '']),
  );

/** tsc writes x.js, x.js.map and x.d.ts for x.ts, and nothing for x.d.ts. */
const stems = (sources) =>
  new Set(sources.filter((file) => !file.endsWith('.d.ts')).map((file) => file.replace(/\.ts$/, '')));

export const typescriptStep = {
  name: 'TypeScript',

  isDone({ root }) {
    const sources = sourcesOf(root);
    if (sources.length === 0) return true;
    if (readText(stampPath(root))?.trim() !== sourceHash(root, sources)) return false;
    return [...stems(sources)].every((stem) => existsSync(join(root, 'dist', `${stem}.js`)));
  },

  async perform({ root, say, verbose }) {
    const start = performance.now();
    const sources = sourcesOf(root);
    const hash = sourceHash(root, sources);
    say('building the TypeScript');
    const args = [tsc(root), '-p', 'tsconfig.build.json', '--noEmitOnError'];
    const { code, output } = await run(process.execPath, args, { cwd: root, echo: verbose });
    if (code !== 0)
      throw new SetupError(`src/ did not build (tsc -p tsconfig.build.json):\n${output.trim()}`);
    const expected = stems(sources);
    for (const file of walk(join(root, 'dist'))) {
      // The page is another step's.
      if (file.startsWith('web/')) continue;
      if (!expected.has(file.replace(/\.(js\.map|js|d\.ts)$/, ''))) rmSync(join(root, 'dist', file));
    }
    writeAtomic(stampPath(root), `${hash}\n`);
    say(`TypeScript built (${secondsSince(start)})`);
  },
};
