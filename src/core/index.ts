export * from './block.ts';
export * from './box.ts';
export * from './decode-text.ts';
export * from './dtype.ts';
export * from './errors.ts';
export * from './grad.ts';
export * from './graph.ts';
export * from './hash.ts';
export * from './layout.ts';
export * from './mesh.ts';
export * from './print.ts';
export * from './printable.ts';
export { drawNormals } from './random/random-normal.ts';
export * from './random/random-sequence.ts';
// Random numbers: by seed, layer and index for devices; sequences by a key for images and samples
export * from './random.ts';
export * from './shape.ts';
export * from './table.ts';
export * from './window.ts';
