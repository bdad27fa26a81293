export { agree, totalSent } from './agree.ts';
export * from './bench.ts';
export * from './executable.ts';
export * from './fit-parts.ts';
export * from './session.ts';
export * from './state.ts';
export * from './trace.ts';
export * from './trace-table.ts';
export * from './tracer.ts';
