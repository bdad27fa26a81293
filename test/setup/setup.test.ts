import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url));
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'halomesh-setup-'));
  mkdirSync(join(root, 'native'));
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'native/one.h'), '#define ONE 1\n');
  writeFileSync(join(root, 'native/one.cpp'), '#include "one.h"\nint one() { return ONE; }\n');
  writeFileSync(join(root, 'native/two.cpp'), 'int two() { return 2; }\n');
});

afterEach(() => rmSync(root, { recursive: true }));

/** Runs the native part of the set-up on the temporary folder with only the fake programs in bin/ on the PATH. */
function setup(...more: string[]) {
  const env = { ...process.env, PATH: join(root, 'bin'), CXX: undefined, MPICXX: undefined };
  const args = [script, '--native-only', '--root', root, ...more];
  return spawnSync(process.execPath, args, { encoding: 'utf8', env });
}

/** A program for bin/, as a script of the system's shell. */
function program(name: string, body: string) {
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

/** Writes down every call; "compiles" by copying nothing into the file after -o. */
const fakeCompiler = (folder: string) =>
  `echo "$*" >> "${folder}/calls"; while [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done`;

/** The sources compiled since the last look, sorted, without repeats for each instruction set. */
function compiled(): string[] {
  const calls = existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8') : '';
  rmSync(join(root, 'calls'), { force: true });
  return [...new Set([...calls.matchAll(/ -c \S*\/native\/(\S+)/g)].map((match) => match[1]!))].sort();
}

describe('setup', () => {
  it('says in one sentence which package is missing when there is no compiler and no way to install one', () => {
    const { status, stdout, stderr } = setup();
    expect(stderr).toBe(
      'set-up: no C++ compiler was found: install the package g++ (as root: apt-get update && ' +
        'apt-get install g++) or set CXX to a compiler, and run the same command again.\n',
    );
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });

  it('compiles what changed and nothing else', () => {
    program('g++', fakeCompiler(root));
    expect(setup().stderr).toBe('');
    expect(compiled()).toEqual(['one.cpp', 'two.cpp']);
    expect(existsSync(join(root, 'build/native/libhalomesh_base.so'))).toBe(true);

    expect(setup().stdout).toBe('set-up: everything is up to date\n');
    expect(compiled()).toEqual([]);

    writeFileSync(join(root, 'native/one.h'), '#define ONE 2\n');
    setup();
    expect(compiled()).toEqual(['one.cpp']);

    rmSync(join(root, 'native/two.cpp'));
    expect(setup().stdout).toContain('0 objects');
    expect(existsSync(join(root, 'build/native/obj/base/two.o'))).toBe(false);
  });

  it('prints what the compiler says and the file that did not compile', () => {
    const refuseTwo = 'case "$*" in *two.cpp*) echo "two.cpp:1: expected ;" >&2; exit 1;; esac';
    program('g++', `${refuseTwo}; ${fakeCompiler(root)}`);
    const { status, stderr } = setup();
    expect(stderr).toMatch(/^set-up: native\/two\.cpp did not compile for \w+:\ntwo\.cpp:1: expected ;\n$/);
    expect(status).toBe(1);
  });

  it('builds the MPI shim when a compiler for MPI appears or changes, and works without one', () => {
    program('g++', fakeCompiler(root));
    mkdirSync(join(root, 'native/mpi'));
    writeFileSync(join(root, 'native/mpi/shim.cpp'), '');
    const shim = join(root, 'build/native/libhalomesh_mpi.so');
    expect(setup().status).toBe(0);
    expect(existsSync(shim)).toBe(false);

    program('mpicxx', 'echo "mpi.h: no such file" >&2; exit 1');
    expect(setup().stdout).toMatch(/shim\.cpp did not compile with \S*mpicxx:\nmpi\.h: no such file/);
    expect(setup().stdout).toBe('set-up: everything is up to date\n');
    expect(setup('--mpi').status).toBe(1);

    program('mpicxx', fakeCompiler(root));
    expect(setup('--mpi').stdout).toContain('MPI shim built');
    expect(existsSync(shim)).toBe(true);
    expect(setup().stdout).toBe('set-up: everything is up to date\n');

    writeFileSync(join(root, 'native/mpi/any.h'), '#define ANY 1\n');
    expect(setup().stdout).toContain('MPI shim built');
  });

  it('says how to get MPI where it cannot be installed', () => {
    program('g++', fakeCompiler(root));
    mkdirSync(join(root, 'native/mpi'));
    writeFileSync(join(root, 'native/mpi/shim.cpp'), '');
    const { status, stderr } = setup('--mpi');
    expect(stderr).toMatch(
      /^set-up: no compiler for MPI was found: install Open MPI .*libopenmpi-dev openmpi-bin/,
    );
    expect(status).toBe(1);
  });

  it('takes over the lock of a set-up that was killed', () => {
    program('g++', fakeCompiler(root));
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    mkdirSync(join(root, 'build/.setup-lock'), { recursive: true });
    const dead = JSON.stringify({ pid, start: null, host: hostname() });
    writeFileSync(join(root, 'build/.setup-lock/owner.json'), dead);
    expect(setup().status).toBe(0);
    expect(existsSync(join(root, 'build/.setup-lock'))).toBe(false);
  });
});
