import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';

// The plug-in of the folder stub/, built where its sources changed.

const folder = fileURLToPath(new URL('./stub', import.meta.url));
const SOURCES = [
  'plugin.cpp',
  'text.cpp',
  'interpreter.cpp',
  'values.cpp',
  'arithmetic.cpp',
  'moves.cpp',
  'sums.cpp',
];

function build(): string {
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  const hash = createHash('sha256');
  for (const file of files.sort()) hash.update(readFileSync(file));
  const home = fileURLToPath(new URL('../../build/pjrt', import.meta.url));
  const library = path.join(home, `stub-${hash.digest('hex').slice(0, 16)}.so`);
  if (existsSync(library)) return library;
  mkdirSync(home, { recursive: true });
  const made = `${library}.${process.pid}`;
  const sources = SOURCES.map((name) => path.join(folder, name));
  execFileSync(process.env.CXX ?? 'c++', [
    '-std=c++17',
    '-O1',
    '-fPIC',
    '-shared',
    '-pthread',
    '-o',
    made,
    ...sources,
  ]);
  renameSync(made, library);
  return library;
}

/** The stub's library. */
export const STUB = build();

/** The library whose device is tested: HALOMESH_TEST_PJRT, else the stub. */
export const LIBRARY = process.env.HALOMESH_TEST_PJRT ?? STUB;

/** What plug-in objects were made and not given back. */
export const stubLive: () => number = (() => {
  const live = koffi.load(STUB).func('long stub_live(void)');
  return () => Number(live());
})();

/** A number when it has become what it is to be, or what it is after a while. */
export async function settled(number: () => number, wanted: number): Promise<number> {
  for (let turn = 0; turn < 1000 && number() !== wanted; turn++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return number();
}
