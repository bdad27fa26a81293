import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { KernelSource } from './driver.ts';
import { named } from './print/printer.ts';

// The fixed sources in native/cuda.

// src/machine/cuda and dist/machine/cuda both lie three folders below the root of the package.
export const nativeFile = (name: string): string =>
  fileURLToPath(new URL(`../../../native/cuda/${name}`, import.meta.url));

const texts = new Map<string, string>();

export function nativeText(name: string): string {
  const text = texts.get(name) ?? readFileSync(nativeFile(name), 'utf8');
  texts.set(name, text);
  return text;
}

/** What every printed kernel begins with. */
export const deviceText = (): string => `${nativeText('device.h')}${nativeText('threads.h')}`;

/** Kernels over tensors of any type and format, in native/cuda/kernels; some have barriers. */
const FIXED = {
  pack: false,
  copy: false,
  fill: false,
  reshape: false,
  combine: false,
  finish: true,
  reduce: true,
  einsum: true,
};

export type FixedName = keyof typeof FIXED;

const fixed = new Map<FixedName, KernelSource>();

export function fixedKernel(name: FixedName): KernelSource {
  const head = name === 'pack' ? nativeText('matrix.h') : '';
  const known =
    fixed.get(name) ??
    named(`// ${name}\n${head}${nativeText('any.h')}${nativeText(`kernels/${name}.h`)}`, FIXED[name]);
  fixed.set(name, known);
  return known;
}
