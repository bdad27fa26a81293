export * from './blocked.ts';
export * from './slots.ts';
