// Damaged files of every format, which must be read soundly or refused clearly. A process of its own reads them, so that a crash or a
// hang is found, too. The mutants that failed are kept under build/fuzz.
//
//   node test/fuzz/run.mjs [--seed N] [MUTANTS] [FORMAT...]
import { fork } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formats } from './formats/index.mjs';
import { kindOf } from './judge.mjs';

/** Seconds after which one small file hangs, on the slowest machine. */
const HUNG = 60;
/** Crashes and hangs after which a format is given up. */
const MOST_DEATHS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' } },
});
const count = /^\d+$/.test(positionals[0] ?? '') ? Number(positionals.shift()) : 300;
const unknown = positionals.filter((name) => !Object.hasOwn(formats, name));
if (unknown.length > 0 || !/^\d+$/.test(values.seed)) {
  console.error(
    `fuzz: expected [--seed N] [MUTANTS] [FORMAT...] with formats of ${Object.keys(formats).join(', ')}`,
  );
  process.exit(2);
}
const chosen = positionals.length > 0 ? positionals : Object.keys(formats);
const kept = fileURLToPath(new URL('../../build/fuzz', import.meta.url));

/** Starts a process with the mutants from `first` on; the number of the first one that it did not come to. */
function stretch(name, first, folder, onOutcome) {
  return new Promise((resolve, reject) => {
    const args = [name, values.seed, String(first), String(count), folder];
    const child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), args, {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    let stderr = '';
    let at = first - 1;
    let open = false;
    let hung = false;
    let alarm;
    const wind = () => {
      clearTimeout(alarm);
      alarm = setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, HUNG * 1000);
    };
    wind();
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-4000);
    });
    child.on('message', ({ number, outcome, text }) => {
      wind();
      at = number;
      open = outcome === undefined;
      if (!open) onOutcome(number, outcome, text);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(alarm);
      if (at < first) return reject(new Error(`the format ${name} cannot be prepared: ${stderr}`));
      if (hung) onOutcome(at, 'hung', `nothing for ${HUNG} s`);
      else if (open || (code !== 0 && at + 1 < count && stderr !== ''))
        onOutcome(at, 'crashed', `ended with ${signal ?? code}: ${stderr.trim()}`);
      resolve(at + 1);
    });
  });
}

async function fuzz(name) {
  const outcomes = { read: 0, refused: 0, unclear: 0, wrong: 0, crashed: 0, hung: 0 };
  const kinds = new Map();
  const folder = mkdtempSync(path.join(tmpdir(), `halomesh-fuzz-${name}-`));
  const begun = performance.now();
  const onOutcome = (number, outcome, text) => {
    outcomes[outcome]++;
    if (outcome === 'read' || outcome === 'refused') return;
    const kind = `${outcome} ${kindOf(text)}`;
    const known = kinds.get(kind);
    if (known !== undefined) return known.times++;
    kinds.set(kind, { number, outcome, text, times: 1 });
    rmSync(path.join(kept, `${name}-${number}`), { recursive: true, force: true });
    mkdirSync(kept, { recursive: true });
    cpSync(path.join(folder, `${number}`), path.join(kept, `${name}-${number}`), { recursive: true });
  };
  try {
    for (let next = 0; next < count && outcomes.crashed + outcomes.hung < MOST_DEATHS; )
      next = await stretch(name, next, folder, onOutcome);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const seconds = (performance.now() - begun) / 1000;
  const cells = [name, count, ...Object.values(outcomes), seconds.toFixed(1)];
  console.log(`| ${cells.join(' | ')} |`);
  return [...kinds.values()].map((fault) => ({ name, ...fault }));
}

const columns = ['format', 'mutants', 'read', 'refused', 'unclear', 'wrong', 'crashed', 'hung', 'seconds'];
console.log(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`);
const faults = [];
for (const name of chosen) faults.push(...(await fuzz(name)));
for (const { name, number, outcome, text, times } of faults)
  console.error(
    `${name} ${number}: ${outcome}, ${times} times: ${text.slice(0, 400)}\n  kept as build/fuzz/${name}-${number}`,
  );
if (faults.length > 0) {
  console.error(`fuzz: ${faults.length} kinds of faults, with seed ${values.seed}`);
  process.exitCode = 1;
}
