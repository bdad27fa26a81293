// What the WebAssembly kernels are built from.
import { join } from 'node:path';
import { hashOf, readText, walk } from './common.mjs';

/** Of native/: what needs a system, has a main, or is of another device; normal numbers are drawn in JavaScript there. */
const others =
  /^(mpi|test|bench|cuda)\/|^runtime\/(threads|memory|signals|spill|peak)\.cpp$|^runtime\/signals\.h$|^rows\/normal\.(cpp|h)$/;

/** Their sources and headers, and what compiles them, as sorted paths below the root. */
export const wasmFiles = (root) => [
  ...walk(join(root, 'native'))
    .filter((file) => /\.(cpp|h)$/.test(file) && !others.test(file))
    .map((file) => `native/${file}`),
  'scripts/build-wasm.mjs',
];

/** Changes with any of them. */
export const wasmHash = (root) =>
  hashOf(...wasmFiles(root).flatMap((file) => [file, readText(join(root, file)) ?? '']));
