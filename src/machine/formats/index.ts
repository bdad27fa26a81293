export * from './blocked.ts';
export * from './place.ts';
export * from './slots.ts';
