// Checks that other programs read what this one writes. Runs after the set-up.
//
//   node scripts/interop-tests.mjs [NAME...]
//
// Every test/interop/*.mjs has `needs`, names of Python packages, and `check({ python, folder })`, which throws where something
// does not fit. Python is python3, or what HALOMESH_INTEROP_PYTHON names: one or more, with colons between them, of which each
// check takes the first that has its packages. Where none has them it is skipped, and says so.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from './setup/common.mjs';

const commands = (process.env.HALOMESH_INTEROP_PYTHON ?? 'python3').split(delimiter);
const dir = join(packageRoot, 'test', 'interop');
const wanted = process.argv.slice(2);
const names = readdirSync(dir)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -'.mjs'.length))
  .filter((name) => wanted.length === 0 || wanted.includes(name));

/** Why a Python cannot import the packages; undefined where it can. */
function missing(command, needs) {
  const { error, status } = spawnSync(
    command,
    ['-c', needs.map((name) => `import ${name}`).join('\n') || 'pass'],
    {
      stdio: 'ignore',
    },
  );
  if (error) return `${command} does not run: ${error.message}`;
  return status === 0 ? undefined : `${command} has not all of ${needs.join(', ')}`;
}

/** What a script of test/interop prints. */
const runner =
  (command) =>
  (script, ...args) =>
    execFileSync(command, [join(dir, script), ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });

let failed = 0;
for (const name of names) {
  const { needs, check } = await import(pathToFileURL(join(dir, `${name}.mjs`)).href);
  const reasons = commands.map((command) => missing(command, needs));
  const command = commands[reasons.indexOf(undefined)];
  if (command === undefined) {
    console.log(
      `skipped  ${name}: ${reasons.join('; ')}. Set HALOMESH_INTEROP_PYTHON to a Python that has them`,
    );
    continue;
  }
  const folder = mkdtempSync(join(tmpdir(), 'halomesh-interop-'));
  try {
    await check({ python: runner(command), folder });
    console.log(`passed   ${name}`);
  } catch (error) {
    failed++;
    console.log(`failed   ${name}: ${error.stack ?? error}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exitCode = failed > 0 ? 1 : 0;
