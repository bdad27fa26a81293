// Files that appear whole
export * from './atomic.ts';
export * from './bytes/byte-file.ts';
export { inflate } from './bytes/inflate.ts';
export * from './bytes/open-file.ts';
// What the system grants, and what its environment asks for
export * from './debug-level.ts';
export * from './find-file.ts';
export * from './folders.ts';
export * from './lock.ts';
export * from './memory.ts';
// Names and paths
export * from './names.ts';
export * from './outputs.ts';
export * from './overlap.ts';
export * from './partial-file.ts';
export * from './processes.ts';
export * from './set-up.ts';
export * from './system-errors.ts';
// Texts
export * from './text.ts';
// Formats that files of several kinds are made of
export * from './wire/protobuf.ts';
