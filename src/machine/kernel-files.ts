import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fail } from '../core/index.ts';
import { packageRoot, setUpCommand } from '../files/index.ts';

// Where compiled kernels lie: those that the set-up built on this machine go before those of the package for its kind.

/** Kernels in a folder, and what to do where they cannot be used. */
export interface KernelFolder {
  readonly folder: string;
  readonly hint: string;
}

const fileIn = (folder: string, isa: string): string => path.join(folder, `libhalomesh_${isa}.so`);

/** The package with kernels for this kind of machine. */
export const kernelPackage = `@halomesh/kernels-${process.platform}-${process.arch}`;

let found: KernelFolder | undefined;

/**
 * The folder with the kernels of this machine; where there are none, that of the set-up. Refuses a package of kernels of another version
 * than this one.
 */
export function kernelFolder(): KernelFolder {
  found ??= builtHere() ?? prebuilt();
  return found ?? { folder: ownFolder, hint: `Run: ${setUpCommand()}` };
}

/** The library of the kernels for an instruction set; maybe there is none. */
export const kernelFile = (isa: string): string => fileIn(kernelFolder().folder, isa);

const ownFolder = path.join(packageRoot, 'build', 'native');

function builtHere(): KernelFolder | undefined {
  if (!existsSync(fileIn(ownFolder, 'base'))) return undefined;
  return { folder: ownFolder, hint: `Remove it and run: ${setUpCommand()}` };
}

/** The kernels of the package that npm installed for this kind of machine. */
function prebuilt(): KernelFolder | undefined {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve(`${kernelPackage}/package.json`);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
  const versionIn = (file: string): string => JSON.parse(readFileSync(file, 'utf8')).version;
  const [version, own] = [manifest, path.join(packageRoot, 'package.json')].map(versionIn);
  const hint = `Build the kernels here: ${setUpCommand('compile')}`;
  if (version !== own)
    fail({
      where: kernelPackage,
      problem: 'is of another version than halomesh',
      expected: own,
      found: version,
      hint,
    });
  return { folder: path.dirname(manifest), hint };
}
