export * from './bench.ts';
export * from './calibrate.ts';
