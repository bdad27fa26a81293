import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import type { Failing, Failures } from './every-call-fails.ts';

// Calls to the file system that fail as those of a bad or full disk do: of all that a program makes below a folder, one.

type Call = (...args: unknown[]) => unknown;
type Table = Record<string, unknown>;

const READS = ['readdir', 'readFile', 'stat', 'lstat', 'realpath', 'opendir', 'statfs', 'readlink', 'access'];
const WRITES = [
  'mkdir',
  'writeFile',
  'appendFile',
  'rename',
  'unlink',
  'rm',
  'rmdir',
  'copyFile',
  'utimes',
  'link',
];
const OF_DESCRIPTORS = ['read', 'write', 'fsync', 'fstat', 'ftruncate'];
const OF_HANDLES = [
  'read',
  'write',
  'sync',
  'datasync',
  'stat',
  'truncate',
  'writeFile',
  'appendFile',
  'readFile',
];

/** Watches the calls of this thread that name a file below `root`, or one that was opened there. */
export async function failingCalls(root: string): Promise<Failing> {
  let calls = 0;
  let failAt = Number.POSITIVE_INFINITY;
  let failed: string | undefined;
  const descriptors = new Set<number>();
  const handles = new WeakSet<object>();
  const undo: (() => void)[] = [];

  const isBelow = (value: unknown): boolean =>
    typeof value === 'string' && path.resolve(value).startsWith(root);
  /** The error of this call, if it is the one. */
  const errorOf = (name: string, target: unknown, writes: boolean): Error | undefined => {
    if (++calls !== failAt) return undefined;
    failed = `${name} ${typeof target === 'string' ? path.relative(root, target) : 'of an open file'}`;
    const code = writes ? 'ENOSPC' : 'EIO';
    const said = writes ? 'no space left on device' : 'i/o error';
    const error = Object.assign(new Error(`${code}: ${said}, ${name}`), { code, syscall: name });
    // As in Node, the error names the file where the call does.
    if (typeof target !== 'string') return error;
    error.message += ` '${target}'`;
    return Object.assign(error, { path: target });
  };

  function patch(table: object, name: string, make: (old: Call) => Call): void {
    const entries = table as Table;
    const old = entries[name];
    if (typeof old !== 'function') return;
    // Some carry others, such as realpathSync.native.
    entries[name] = Object.assign(make(old as Call), old);
    undo.push(() => {
      entries[name] = old;
    });
  }

  /** A function with its three shapes: NAME with a callback, NAMESync, and NAME of promises. */
  function patchAll(
    name: string,
    writes: boolean,
    counts: (first: unknown, args: unknown[]) => boolean,
  ): void {
    patch(fs, `${name}Sync`, (old) => (...args) => {
      const error = counts(args[0], args) ? errorOf(name, args[0], writes) : undefined;
      if (error) throw error;
      return old(...args);
    });
    patch(fs, name, (old) => (...args) => {
      const error = counts(args[0], args) ? errorOf(name, args[0], writes) : undefined;
      const callback = args.at(-1);
      if (error && typeof callback === 'function') return process.nextTick(callback, error);
      return old(...args);
    });
    patch(fs.promises, name, (old) => async (...args) => {
      const error = counts(args[0], args) ? errorOf(name, args[0], writes) : undefined;
      if (error) throw error;
      return old(...args);
    });
  }

  for (const name of READS) patchAll(name, false, isBelow);
  for (const name of WRITES) patchAll(name, true, isBelow);
  for (const name of OF_DESCRIPTORS)
    patchAll(name, name !== 'read' && name !== 'fstat', (first) => descriptors.has(first as number));
  // After `open`, so that it is known which descriptors and handles belong to the folder.
  patchAll('open', false, isBelow);
  patch(fs, 'openSync', (old) => (...args) => {
    const descriptor = old(...args) as number;
    if (isBelow(args[0])) descriptors.add(descriptor);
    return descriptor;
  });
  patch(fs, 'closeSync', (old) => (...args) => {
    descriptors.delete(args[0] as number);
    return old(...args);
  });
  patch(fs.promises, 'open', (old) => async (...args) => {
    const handle = (await old(...args)) as fs.promises.FileHandle;
    if (isBelow(args[0])) handles.add(handle);
    return handle;
  });
  const any = await fs.promises.open(root, 'r');
  for (const name of OF_HANDLES)
    patch(Object.getPrototypeOf(any), name, (old) => {
      return function (this: object, ...args: unknown[]) {
        const error = handles.has(this) ? errorOf(name, undefined, !/^(read|stat)/.test(name)) : undefined;
        return error ? Promise.reject(error) : old.apply(this, args);
      };
    });
  await any.close();
  syncBuiltinESMExports();

  return {
    async during(at, run) {
      [calls, failAt, failed] = [0, at, undefined];
      try {
        const value = await run();
        return { value, failed, calls };
      } finally {
        failAt = Number.POSITIVE_INFINITY;
      }
    },
    turns: (step) => Array.from({ length: Math.ceil(calls / step) }, (_, turn) => 1 + turn * step),
    restore() {
      for (const one of undo.reverse()) one();
      syncBuiltinESMExports();
    },
  };
}

/** Of every command's calls, each `step`-th. */
export const failuresOfCalls = (step: number): Failures => ({
  title: 'a file system that fails once',
  watch: failingCalls,
  step,
  names: (root) => new RegExp(root),
  least: { train: 10, preprocess: 10, predict: 10 },
});
