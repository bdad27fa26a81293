// npm packages: installed exactly as package-lock.json says, without install scripts.
import { existsSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hashOf, readJson, readText, run, SetupError, secondsSince, which, writeAtomic } from './common.mjs';

const stampOf = (root) => join(root, 'node_modules/.halomesh-setup');
const lockHash = (root) => hashOf(readText(join(root, 'package-lock.json')));

/** An installed copy of the package has no lock file: its packages are npm's business, not ours. */
const isClone = (root) => existsSync(join(root, 'package-lock.json'));

/** `npx halomesh` looks in node_modules/.bin; npm does not link a package's own command there. */
const ownCommand = (root) => join(root, 'node_modules/.bin/halomesh');
const ownTarget = '../../bin/halomesh.js';

function commandIsLinked(root) {
  const link = lstatSync(ownCommand(root), { throwIfNoEntry: false });
  return link?.isSymbolicLink() === true && readlinkSync(ownCommand(root)) === ownTarget;
}

function linkCommand(root) {
  rmSync(ownCommand(root), { force: true });
  mkdirSync(dirname(ownCommand(root)), { recursive: true });
  symlinkSync(ownTarget, ownCommand(root));
}

/** True when what lies in node_modules already is what the lock file asks for (somebody ran npm by hand). */
function matchesLockFile(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const present = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  if (!wanted || !present) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = present[path];
    if (!found) {
      if (entry.optional) continue; // built for another platform
      return false;
    }
    if (found.version !== entry.version || found.integrity !== entry.integrity) return false;
    if (!existsSync(join(root, path, 'package.json'))) return false;
  }
  return Object.keys(present).every((path) => path in wanted);
}

export function npmCommand() {
  const own = process.env.npm_execpath;
  if (own?.endsWith('npm-cli.js') && existsSync(own)) return [process.execPath, own];
  const npm = which('npm');
  if (npm) return [npm];
  throw new SetupError(
    'npm is not on the PATH: install the package npm (as root: apt-get install npm) and run the same command again.',
  );
}

export const npmStep = {
  name: 'npm packages',

  isDone({ root }) {
    if (!isClone(root)) return true;
    return readText(stampOf(root))?.trim() === lockHash(root) && commandIsLinked(root);
  },

  async perform({ root, say, verbose }) {
    const stamp = lockHash(root);
    if (readText(stampOf(root))?.trim() !== stamp && !matchesLockFile(root)) {
      const start = performance.now();
      say('installing the npm packages');
      const [program, ...first] = npmCommand();
      const env = { ...process.env };
      delete env.npm_config_local_prefix; // of the npm that started us, maybe for another folder
      const args = [
        'ci',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--include=dev',
        '--include=optional',
      ];
      const { code, output } = await run(program, [...first, ...args], { cwd: root, env, echo: verbose });
      if (code !== 0) {
        throw new SetupError(
          `npm could not install the packages (npm ci ended with ${code}):\n${output.trim()}`,
        );
      }
      say(`npm packages installed (${secondsSince(start)})`);
    }
    linkCommand(root);
    writeAtomic(stampOf(root), `${stamp}\n`);
  },
};
