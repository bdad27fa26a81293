// Packages with the compiled kernels for one kind of machine each, `@halomesh/kernels-PLATFORM-ARCH`: nothing is left to compile where npm
// installs one.
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import { basename, join } from 'node:path';
import { installWithApt } from '../setup/apt.mjs';
import { readJson, SetupError, which, writeAtomic } from '../setup/common.mjs';
import { ensureCompiler } from '../setup/compiler.mjs';
import { buildFor } from '../setup/native.mjs';

/** Kinds of machines, and the compiler for each on machines of another kind, with the Debian package that brings it. */
export const targets = [
  { arch: 'x64', cross: 'x86_64-linux-gnu-g++', debian: 'g++-x86-64-linux-gnu' },
  { arch: 'arm64', cross: 'aarch64-linux-gnu-g++', debian: 'g++-aarch64-linux-gnu' },
].map((target) => ({ ...target, name: `linux-${target.arch}` }));

const isOwn = ({ arch }) => os.platform() === 'linux' && os.arch() === arch;

/** The compiler for a kind of machine as [program, ...arguments], installed where that may be done. */
export async function compilerFor(target, context) {
  if (isOwn(target)) return ensureCompiler(context);
  const cannot = (why) =>
    `no compiler for ${target.name} was found${why}: install the package ${target.debian} ` +
    `(as root: apt-get update && apt-get install ${target.debian}), and run the same command again.`;
  if (which(target.cross) === null) await installWithApt([target.debian], cannot, context);
  const found = which(target.cross);
  if (found === null) throw new SetupError(cannot(' even after apt-get installed it'));
  return [found];
}

/** Builds the kernels of a target below build/kernels/; resolves to the paths of the libraries. */
export async function buildKernels(root, target, context) {
  const folder = join(root, 'build/kernels', target.name);
  const compiler = await compilerFor(target, context);
  if (isOwn(target)) reuseObjects(join(root, 'build/native'), folder, compiler);
  return buildFor({ root, folder, arch: target.arch, compiler }, context);
}

/** What the set-up compiled on this machine is what a package for its kind holds: only linking differs. */
function reuseObjects(from, to, compiler) {
  const stamps = readJson(join(from, 'stamps.json'));
  if (stamps === null || existsSync(join(to, 'stamps.json'))) return;
  cpSync(join(from, 'obj'), join(to, 'obj'), { recursive: true });
  writeAtomic(
    join(to, 'stamps.json'),
    JSON.stringify({ ...stamps, compiler: compiler.join(' '), libraries: {} }),
  );
}

/** Lays the package of a target out in `folder`: its libraries and what npm has to know. */
export function layOutKernels(root, target, libraries, folder) {
  const { version, license } = readJson(join(root, 'package.json'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const library of libraries) copyFileSync(library, join(folder, basename(library)));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const manifest = {
    name: `@halomesh/kernels-${target.name}`,
    version,
    description: `Compiled kernels of halomesh ${version} for ${target.name}`,
    license,
    os: ['linux'],
    cpu: [target.arch],
    libc: ['glibc'],
    files: ['*.so'],
  };
  writeAtomic(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeAtomic(
    join(folder, 'README.md'),
    `# ${manifest.name}\n\nThe compiled kernels of halomesh ${version} for ${target.name}. Install \`halomesh\`, which finds them.\n`,
  );
}
