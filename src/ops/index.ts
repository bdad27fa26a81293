export * from './broadcast.ts';
export * from './convolution.ts';
export * from './elementwise.ts';
export * from './gradients.ts';
export * from './pool.ts';
export * from './reduce.ts';
export * from './registry.ts';
export * from './source.ts';
