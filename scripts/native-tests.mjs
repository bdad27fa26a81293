// Tests of the native kernels (native/test/*_test.cpp) on every instruction set that this processor has, and once more with
// the address and undefined-behaviour sanitizers. Runs after the set-up. With --arm64 those of arm64 are tested instead: compiled by
// Debian's cross compiler and run by qemu-user.
//
//   node scripts/native-tests.mjs [--cases N] [--no-sanitizers] [--arm64]
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildKernels, compilerFor, targets } from './packages/kernels.mjs';
import { packageRoot, run, SetupError, secondsSince, walk, which } from './setup/common.mjs';
import { ensureCompiler } from './setup/compiler.mjs';
import { sourcesAmong } from './setup/native.mjs';

const native = join(packageRoot, 'native');
const out = join(packageRoot, 'build/native/test');
const flags = [
  '-std=c++17',
  '-fno-math-errno',
  '-ffp-contract=fast',
  '-fno-trapping-math',
  '-pthread',
  '-I',
  native,
];
const sanitizers = [
  '-g',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-DHALOMESH_ISA="base"',
];
const march = { avx512: ['-march=x86-64-v4'], avx2: ['-march=x86-64-v3'], base: [] };
const needs = { avx512: 'avx512vl', avx2: 'avx2', base: '' };

/** Instruction sets that were built and that this processor can run. */
function usableSets() {
  const info = os.platform() === 'linux' ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return readdirSync(join(packageRoot, 'build/native/obj')).filter((isa) => info.includes(needs[isa]));
}

/** Does `work` for all items on all cores; the first failure ends it. */
async function onAllCores(items, work) {
  const rest = [...items];
  const one = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, one));
}

/** What runs programs of arm64 here. */
function emulatorOf() {
  if (os.arch() === 'arm64') return [];
  const found = which('qemu-aarch64') ?? which('qemu-aarch64-static');
  if (found === null)
    throw new SetupError(
      'no emulator of arm64 was found: install the package qemu-user (as root: apt-get install qemu-user)',
    );
  return [found];
}

async function call(program, args) {
  const { code, output } = await run(program, args);
  if (code === 0) return output;
  throw new Error(`${program} ${args.join(' ')} failed with ${code}\n${output}`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string' },
      sanitizers: { type: 'boolean', default: true },
      arm64: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  const cases = values.cases ?? '60';
  const target = values.arm64 ? targets.find(({ arch }) => arch === 'arm64') : null;
  const emulator = target ? emulatorOf() : [];
  const context = { say: console.log };
  const [compiler, ...first] = await (target ? compilerFor(target, context) : ensureCompiler(context));
  const compile = (...args) => call(compiler, [...first, ...flags, ...args]);
  const tests = readdirSync(join(native, 'test')).filter((file) => file.endsWith('_test.cpp'));
  const kernels = sourcesAmong(walk(native));
  mkdirSync(out, { recursive: true });
  const start = performance.now();
  const objectsIn = (folder, isa) =>
    kernels.map((file) => join(packageRoot, folder, 'obj', isa, file.replace('.cpp', '.o')));
  const builds = target
    ? [
        {
          name: target.name,
          // Static, so that the emulator needs no libraries of that machine.
          flags: ['-O1', '-static', '-DHALOMESH_ISA="base"'],
          objects: objectsIn(`build/kernels/${target.name}`, 'base'),
        },
      ]
    : usableSets().map((isa) => ({
        name: isa,
        flags: ['-O1', ...march[isa], `-DHALOMESH_ISA="${isa}"`],
        objects: objectsIn('build/native', isa),
      }));
  if (target) await buildKernels(packageRoot, target, context);
  else if (values.sanitizers) {
    const objects = kernels.map((file) => join(out, file.replaceAll('/', '_').replace('.cpp', '.san.o')));
    await onAllCores([...kernels.keys()], (i) =>
      compile('-O1', ...sanitizers, '-c', join(native, kernels[i]), '-o', objects[i]),
    );
    builds.push({ name: 'sanitizers', flags: ['-O1', ...sanitizers], objects });
  }
  const jobs = builds.flatMap((build) =>
    tests.map((test) => ({ build, test, program: join(out, `${test}.${build.name}`) })),
  );
  await onAllCores(jobs, ({ build, test, program }) =>
    compile(...build.flags, join(native, 'test', test), ...build.objects, '-o', program),
  );
  for (const { build, test, program } of jobs) {
    const [runner, ...args] = [...emulator, program, build.name === 'sanitizers' ? '20' : cases, '1'];
    const lines = (await call(runner, args)).trim().split('\n');
    console.log(`${test.replace('.cpp', '')} on ${build.name}: ${lines.at(-1)}`);
  }
  console.log(`native tests: ${jobs.length} programs passed (${secondsSince(start)})`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
