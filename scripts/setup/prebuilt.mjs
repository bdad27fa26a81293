// Kernels that npm installed with a package for this kind of machine. src/machine/kernel-files.ts finds them by the same rule.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readJson } from './common.mjs';

/** The package of kernels beside the package in `root`, as NAME VERSION; null where there is none of its version. */
export function prebuiltKernels(root) {
  const name = `@halomesh/kernels-${process.platform}-${process.arch}`;
  const manifest = join(root, 'package.json');
  let kernels;
  try {
    kernels = readJson(createRequire(manifest).resolve(`${name}/package.json`));
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return null;
  }
  return kernels?.version === readJson(manifest)?.version ? `${name} ${kernels.version}` : null;
}
