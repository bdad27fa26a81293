// The pages of `halomesh view` and `halomesh app`: web/ to dist/web/ and dist/web-app/ with Vite, when a source of them, their settings or the
// lock file changed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf, isTestFile, readText, run, SetupError, secondsSince, walk, writeAtomic } from './common.mjs';

const stampPath = (root) => join(root, 'build/stamps/page');
const built = (root) => ['dist/web', 'dist/web-app'].map((folder) => join(root, folder, 'index.html'));

/** Outside of web/: what is built into the pages, and with what. */
const shared = ['native/wasm/halomesh.wasm', 'native/wasm/halomesh-threads.wasm', 'package-lock.json'];

/** An installed copy of the package has dist/web/ and no web/. */
const sourcesOf = (root) =>
  existsSync(join(root, 'web/vite.config.ts'))
    ? ['web', 'src'].flatMap((folder) => walk(join(root, folder)).map((file) => `${folder}/${file}`))
    : [];

const hash = (root, sources) =>
  hashOf(
    ...[...sources.filter((file) => !isTestFile(file)), ...shared].flatMap((file) => [
      file,
      readText(join(root, file)) ?? '',
    ]),
  );

export const pageStep = {
  name: 'page',

  isDone({ root }) {
    const sources = sourcesOf(root);
    if (sources.length === 0) return true;
    return (
      built(root).every((file) => existsSync(file)) &&
      readText(stampPath(root))?.trim() === hash(root, sources)
    );
  },

  async perform({ root, say, verbose }) {
    const start = performance.now();
    const current = hash(root, sourcesOf(root));
    say('building the pages');
    for (const config of ['web/vite.config.ts', 'web/app/vite.config.ts']) {
      const args = [join(root, 'node_modules/vite/bin/vite.js'), 'build', '-c', config];
      const { code, output } = await run(process.execPath, args, { cwd: root, echo: verbose });
      if (code !== 0) throw new SetupError(`${config} did not build (vite build):\n${output.trim()}`);
    }
    writeAtomic(stampPath(root), `${current}\n`);
    say(`pages built (${secondsSince(start)})`);
  },
};
