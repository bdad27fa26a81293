// Tests of the native kernels (native/test/*_test.cpp) on every instruction set that this processor has, and once more with
// the address and undefined-behaviour sanitizers. Runs after the set-up.
//
//   node scripts/native-tests.mjs [--cases N] [--no-sanitizers]
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot, run, secondsSince, walk } from './setup/common.mjs';
import { ensureCompiler } from './setup/compiler.mjs';

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

async function call(program, args) {
  const { code, output } = await run(program, args);
  if (code === 0) return output;
  throw new Error(`${program} ${args.join(' ')} failed with ${code}\n${output}`);
}

async function main() {
  const { values } = parseArgs({
    options: { cases: { type: 'string' }, sanitizers: { type: 'boolean', default: true } },
    allowNegative: true,
  });
  const cases = values.cases ?? '60';
  const [compiler, ...first] = await ensureCompiler({ say: console.log });
  const compile = (...args) => call(compiler, [...first, ...flags, ...args]);
  const tests = readdirSync(join(native, 'test')).filter((file) => file.endsWith('_test.cpp'));
  const kernels = walk(native).filter((file) => file.endsWith('.cpp') && !/^(cuda|mpi|test)\//.test(file));
  mkdirSync(out, { recursive: true });
  const start = performance.now();
  const builds = usableSets().map((isa) => ({
    name: isa,
    flags: ['-O1', ...march[isa], `-DHALOMESH_ISA="${isa}"`],
    objects: kernels.map((file) => join(packageRoot, 'build/native/obj', isa, file.replace('.cpp', '.o'))),
  }));
  if (values.sanitizers) {
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
    const lines = (await call(program, [build.name === 'sanitizers' ? '20' : cases, '1'])).trim().split('\n');
    console.log(`${test.replace('.cpp', '')} on ${build.name}: ${lines.at(-1)}`);
  }
  console.log(`native tests: ${jobs.length} programs passed (${secondsSince(start)})`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
