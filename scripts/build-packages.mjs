// Tarballs of npm below build/packages/: halomesh, and a package of compiled kernels for each kind of machine, on which it depends where
// npm can install it. Nothing is published. Runs after the set-up.
//
//   node scripts/build-packages.mjs [--only NAME]... [--out DIR] [--verbose]
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildKernels, layOutKernels, targets } from './packages/kernels.mjs';
import { packageRoot, readJson, run, SetupError, which, writeAtomic } from './setup/common.mjs';
import { npmCommand } from './setup/npm.mjs';

/** Packs a folder as npm does, without running its scripts; resolves to the path of the tarball. */
async function pack(folder, out) {
  const [program, ...first] = npmCommand();
  const args = [...first, 'pack', '--ignore-scripts', '--silent', '--pack-destination', out];
  const env = { ...process.env };
  delete env.npm_config_local_prefix; // of the npm that started us, which is for another folder
  const { code, output } = await run(program, args, { cwd: folder, env });
  if (code !== 0) throw new SetupError(`npm could not pack ${folder}:\n${output.trim()}`);
  return join(out, output.trim().split('\n').at(-1));
}

/** The package itself, which names those with kernels as optional: npm leaves out those for other machines. */
async function packHalomesh(stage, out, built) {
  const plain = await pack(packageRoot, stage);
  const folder = join(stage, 'halomesh');
  mkdirSync(folder, { recursive: true });
  const tar = which('tar');
  if (tar === null) throw new SetupError('tar is not on the PATH: install the package tar.');
  const { code, output } = await run(tar, ['-xzf', plain, '-C', folder, '--strip-components=1']);
  if (code !== 0) throw new SetupError(`${plain} could not be unpacked:\n${output.trim()}`);
  const path = join(folder, 'package.json');
  const manifest = readJson(path);
  const kernels = built.map((target) => [`@halomesh/kernels-${target.name}`, manifest.version]);
  writeAtomic(
    path,
    `${JSON.stringify({ ...manifest, optionalDependencies: Object.fromEntries(kernels) }, null, 2)}\n`,
  );
  return pack(folder, out);
}

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      out: { type: 'string', default: join(packageRoot, 'build/packages') },
      verbose: { type: 'boolean', default: false },
    },
  });
  const names = targets.map(({ name }) => name);
  const unknown = values.only?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new SetupError(`--only: expected one of ${names.join(', ')}, found ${unknown}`);
  const wanted = targets.filter(({ name }) => values.only?.includes(name) ?? true);
  const out = resolve(values.out);
  const stage = join(out, `stage-${process.pid}`);
  const context = { say: (line) => console.log(`packages: ${line}`), verbose: values.verbose };
  mkdirSync(stage, { recursive: true });
  try {
    for (const target of wanted) {
      const libraries = await buildKernels(packageRoot, target, context);
      const folder = join(stage, target.name);
      layOutKernels(packageRoot, target, libraries, folder);
      context.say(await pack(folder, out));
    }
    context.say(await packHalomesh(stage, out, wanted));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(`packages: ${error instanceof SetupError ? error.message : error.stack}`);
  process.exitCode = 1;
});
