// The page of `halomesh view`: web/ to dist/web/ with Vite, when a source of it, its settings or the lock file changed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf, readText, run, SetupError, secondsSince, walk, writeAtomic } from './common.mjs';

const stampPath = (root) => join(root, 'build/stamps/page');
const built = (root) => join(root, 'dist/web/index.html');

/** Sources outside of web/ that are built into the page. */
const shared = ['src/train/pictures/class-colors.ts', 'package-lock.json'];

/** An installed copy of the package has dist/web/ and no web/. */
const sourcesOf = (root) =>
  existsSync(join(root, 'web/vite.config.ts')) ? walk(join(root, 'web')).map((file) => `web/${file}`) : [];

const hash = (root, sources) =>
  hashOf(...[...sources, ...shared].flatMap((file) => [file, readText(join(root, file)) ?? '']));

export const pageStep = {
  name: 'page',

  isDone({ root }) {
    const sources = sourcesOf(root);
    if (sources.length === 0) return true;
    return existsSync(built(root)) && readText(stampPath(root))?.trim() === hash(root, sources);
  },

  async perform({ root, say, verbose }) {
    const start = performance.now();
    const current = hash(root, sourcesOf(root));
    say('building the page');
    const args = [join(root, 'node_modules/vite/bin/vite.js'), 'build', '-c', 'web/vite.config.ts'];
    const { code, output } = await run(process.execPath, args, { cwd: root, echo: verbose });
    if (code !== 0) throw new SetupError(`web/ did not build (vite build):\n${output.trim()}`);
    writeAtomic(stampPath(root), `${current}\n`);
    say(`page built (${secondsSince(start)})`);
  },
};
