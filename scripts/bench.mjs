// Benchmarks: compiles bench/ into build/bench and runs it. `npm run bench -- --help` tells what it takes.
import { join } from 'node:path';
import { packageRoot, run } from './setup/common.mjs';

const tsc = join(packageRoot, 'node_modules/typescript/bin/tsc');
const { code, output } = await run(process.execPath, [tsc, '-p', 'tsconfig.bench.json'], {
  cwd: packageRoot,
});
if (code !== 0) {
  console.error(`bench: bench/ did not build (tsc -p tsconfig.bench.json):\n${output.trim()}`);
  process.exitCode = 1;
} else {
  const { main } = await import('../build/bench/main.js');
  process.exitCode = await main(process.argv.slice(2));
}
