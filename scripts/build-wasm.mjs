// Compiles the kernels of native/ with Emscripten into two modules, which are kept with the sources and shipped in the package, so that
// whoever has no compiler can train and predict: native/wasm/halomesh.wasm for one thread, and halomesh-threads.wasm, whose threads share
// memory. Run it after a change of native/: a test holds the hash beside them.
//
//   node scripts/build-wasm.mjs
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { hashOf, packageRoot, run, SetupError, secondsSince, which, writeAtomic } from './setup/common.mjs';
import { wasmFiles, wasmHash } from './setup/wasm.mjs';

const words = (text) => text.trim().split(/\s+/);

// Products are never fused with sums, as on a processor's baseline, so that results have its bits.
const compileFlags = words(`
  -std=c++17 -O3 -msimd128 -mnontrapping-fptoint -fwasm-exceptions -fno-math-errno -ffp-contract=off -fno-trapping-math
  -fvisibility=hidden -Wall -Wextra`);
const linkFlags = words(`
  -O3 -msimd128 -fwasm-exceptions --no-entry -Wl,--stack-first -s STANDALONE_WASM -s ALLOW_MEMORY_GROWTH=1 -s MAXIMUM_MEMORY=4GB
  -s TOTAL_STACK=1MB`);

/** Emscripten's own linking needs its JavaScript for threads, so here its linker is called as it calls that for one. */
const threadFlags = words(`
  -mllvm -combiner-global-alias-analysis=false -mllvm -disable-lsr -mllvm -wasm-enable-eh -mllvm -exception-model=wasm
  --stack-first --import-undefined --strip-debug -z stack-size=1048576 --initial-memory=16777216 --max-memory=4294967296
  --global-base=1024 --entry=_initialize --import-memory --shared-memory`);
const threadLibraries = words(`
  -lstandalonewasm-memgrow -lstubs -lnoexit -lc-mt -ldlmalloc-mt -lcompiler_rt-mt -lc++-mt-except -lc++abi-mt-except -lunwind-mt-except`);
/** What JavaScript starts a thread with. */
const threadEntries = words(
  'hm_wasm_work hm_wasm_stopped hm_wasm_end stackRestore __wasm_init_tls __tls_size',
);
const optimizerFlags = words(`
  -O3 --enable-threads --enable-bulk-memory --enable-simd --enable-mutable-globals --enable-sign-ext
  --enable-nontrapping-float-to-int --enable-exception-handling --strip-debug --strip-producers`);

/** Entries of halomesh.h that need a system: files, clocks, signals, messages. */
const left = /^hm_(spill_|peak_|cpu_|set_poll)/;

function entries() {
  const header = readFileSync(join(packageRoot, 'native/halomesh.h'), 'utf8');
  return [...header.matchAll(/^HM_API [^(]*?(hm_\w+)\(/gm)]
    .map(([, name]) => name)
    .filter((name) => !left.test(name));
}

// Debian's Emscripten finds its optimiser's libraries nowhere else.
const env = { NODE_PATH: '/usr/share/nodejs', ...process.env };

async function tool(command, args, what) {
  const { code, output } = await run(command, args, { cwd: packageRoot, env });
  if (code !== 0) throw new SetupError(`${what}:\n${output.trim()}`);
  if (output.includes('warning:')) console.error(output.trim());
  return output;
}

/** Compiles all sources into a folder; gives the objects. */
async function compile(folder, flags) {
  const sources = wasmFiles(packageRoot).filter((file) => file.endsWith('.cpp'));
  console.log(`wasm: compiling ${sources.length} files`);
  const objects = sources.map((source) => join(folder, `${source}.o`));
  const queue = sources.map((source, i) => [source, objects[i]]);
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [source, object] = next;
      mkdirSync(dirname(object), { recursive: true });
      const args = [...compileFlags, ...flags, '-I', 'native', '-c', source, '-o', object];
      await tool('em++', args, `${source} did not compile`);
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  return objects;
}

async function oneThread(folder) {
  const objects = await compile(folder, []);
  const made = join(folder, 'halomesh.wasm');
  const exported = entries().map((name) => `_${name}`);
  const args = [...linkFlags, '-s', `EXPORTED_FUNCTIONS=${exported.join(',')}`, ...objects, '-o', made];
  await tool('em++', args, 'the module did not link');
  return made;
}

async function manyThreads(folder) {
  const objects = await compile(folder, ['-pthread']);
  const [linked, made] = ['linked.wasm', 'halomesh-threads.wasm'].map((name) => join(folder, name));
  const exported = [...entries(), ...threadEntries].map((name) => `--export=${name}`);
  const libraries = (
    await tool('em-config', ['CACHE'], 'Emscripten does not say where its libraries are')
  ).trim();
  const llvm = (await tool('em-config', ['LLVM_ROOT'], 'Emscripten does not say where its linker is')).trim();
  const linker = ['', '-14', '-15', '-16', '-17', '-18', '-19']
    .map((version) => join(llvm, `wasm-ld${version}`))
    .find((file) => which(file) !== null);
  if (linker === undefined) throw new SetupError(`no wasm-ld was found in ${llvm}`);
  const library = join(libraries, 'sysroot/lib/wasm32-emscripten');
  const args = [...threadFlags, ...exported, ...objects, `-L${library}`, join(library, 'crt1_reactor.o')];
  await tool(linker, [...args, ...threadLibraries, '-o', linked], 'the module of threads did not link');
  await tool('wasm-opt', [...optimizerFlags, linked, '-o', made], 'the module of threads was not optimised');
  return made;
}

async function build() {
  if (which('em++') === null)
    throw new SetupError('em++ was not found. Install Emscripten, on Debian: apt-get install emscripten');
  const start = performance.now();
  const folder = mkdtempSync(join(os.tmpdir(), 'halomesh-wasm-'));
  try {
    const made = [await oneThread(join(folder, 'one')), await manyThreads(join(folder, 'threads'))];
    const from = wasmHash(packageRoot);
    const [module, threads] = made.map((file) => hashOf(readFileSync(file)));
    for (const file of made)
      writeFileSync(
        join(packageRoot, 'native/wasm', file.slice(file.lastIndexOf('/') + 1)),
        readFileSync(file),
      );
    // As the linter writes it.
    writeAtomic(
      join(packageRoot, 'native/wasm/built.json'),
      `{\n  "sources": "${from}",\n  "module": "${module}",\n  "threads": "${threads}"\n}\n`,
    );
    console.log(`wasm: native/wasm/halomesh.wasm and halomesh-threads.wasm built (${secondsSince(start)})`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

build().catch((error) => {
  console.error(`wasm: ${error instanceof SetupError ? error.message : error.stack}`);
  process.exitCode = 1;
});
