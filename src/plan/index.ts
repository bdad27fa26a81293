export * from './buffers.ts';
export * from './exchange.ts';
export * from './fuse.ts';
export * from './kernel.ts';
export * from './memory.ts';
export * from './partition.ts';
export * from './plan.ts';
export * from './program.ts';
