// Compiles the kernels of native/ with Emscripten into native/wasm/halomesh.wasm, which is kept with the sources and shipped in the package,
// so that whoever has no compiler can train and predict. Run it after a change of native/: a test holds the hash beside it.
//
//   node scripts/build-wasm.mjs
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { hashOf, packageRoot, run, SetupError, secondsSince, which, writeAtomic } from './setup/common.mjs';
import { wasmFiles, wasmHash } from './setup/wasm.mjs';

// Products are never fused with sums, as on a processor's baseline, so that results have its bits.
const compileFlags =
  '-std=c++17 -O3 -msimd128 -mnontrapping-fptoint -fwasm-exceptions -fno-math-errno -ffp-contract=off -fno-trapping-math -fvisibility=hidden -Wall -Wextra'.split(
    ' ',
  );
const linkFlags =
  '-O3 -msimd128 -fwasm-exceptions --no-entry -Wl,--stack-first -s STANDALONE_WASM -s ALLOW_MEMORY_GROWTH=1 -s MAXIMUM_MEMORY=4GB -s TOTAL_STACK=1MB'.split(
    ' ',
  );

/** Entries of halomesh.h that need a system: files, clocks, signals, messages. */
const left = /^hm_(spill_|peak_|cpu_|set_poll)/;

function entries() {
  const header = readFileSync(join(packageRoot, 'native/halomesh.h'), 'utf8');
  return [...header.matchAll(/^HM_API [^(]*?(hm_\w+)\(/gm)]
    .map(([, name]) => name)
    .filter((name) => !left.test(name));
}

async function emscripten(args, what) {
  // Debian's Emscripten finds its optimiser's libraries nowhere else.
  const env = { NODE_PATH: '/usr/share/nodejs', ...process.env };
  const { code, output } = await run('em++', args, { cwd: packageRoot, env });
  if (code !== 0) throw new SetupError(`${what}:\n${output.trim()}`);
  if (output.includes('warning:')) console.error(output.trim());
}

async function build() {
  if (which('em++') === null)
    throw new SetupError('em++ was not found. Install Emscripten, on Debian: apt-get install emscripten');
  const start = performance.now();
  const sources = wasmFiles(packageRoot).filter((file) => file.endsWith('.cpp'));
  const folder = mkdtempSync(join(os.tmpdir(), 'halomesh-wasm-'));
  try {
    console.log(`wasm: compiling ${sources.length} files`);
    const objects = sources.map((source) => join(folder, `${source}.o`));
    const queue = sources.map((source, i) => [source, objects[i]]);
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [source, object] = next;
        mkdirSync(dirname(object), { recursive: true });
        await emscripten(
          [...compileFlags, '-I', 'native', '-c', source, '-o', object],
          `${source} did not compile`,
        );
      }
    };
    await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
    const exported = entries().map((name) => `_${name}`);
    const made = join(folder, 'halomesh.wasm');
    const args = [...linkFlags, '-s', `EXPORTED_FUNCTIONS=${exported.join(',')}`, ...objects, '-o', made];
    await emscripten(args, 'the module did not link');
    writeFileSync(join(packageRoot, 'native/wasm/halomesh.wasm'), readFileSync(made));
    const [from, module] = [wasmHash(packageRoot), hashOf(readFileSync(made))];
    // As the linter writes it.
    writeAtomic(
      join(packageRoot, 'native/wasm/built.json'),
      `{ "sources": "${from}", "module": "${module}" }\n`,
    );
    console.log(`wasm: native/wasm/halomesh.wasm built (${secondsSince(start)})`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

build().catch((error) => {
  console.error(`wasm: ${error instanceof SetupError ? error.message : error.stack}`);
  process.exitCode = 1;
});
