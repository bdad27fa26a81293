// Tries the mutants FIRST to LAST of a format in a folder, and tells the process that started it what came of each.
//
//   node test/fuzz/child.mjs FORMAT SEED FIRST LAST FOLDER
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { formats } from './formats/index.mjs';
import { unclear } from './judge.mjs';
import { Random } from './mutate.mjs';

const [name, seed, first, last, folder] = process.argv.slice(2);
/** Bytes that no small file may take. */
const MOST_MEMORY = 1.5 * 2 ** 30;

const tell = (message) => new Promise((resolve) => process.send(message, resolve));

const format = await formats[name](path.join(folder, 'seed'));
const salt = Object.keys(formats).indexOf(name);
for (let number = Number(first); number < Number(last); number++) {
  const mutantFolder = path.join(folder, `${number}`);
  const files = format.mutant(new Random(Number(seed), salt, number));
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(mutantFolder, file)), { recursive: true });
    writeFileSync(path.join(mutantFolder, file), bytes);
  }
  await tell({ number });
  let outcome = 'read';
  let text;
  try {
    text = await format.read(mutantFolder, files);
    if (text !== undefined) outcome = 'wrong';
  } catch (error) {
    text = unclear(error, { names: mutantFolder, ...format.errors });
    outcome = text === undefined ? 'refused' : 'unclear';
  }
  // What was begun and not waited for shows itself while its mutant is there.
  await setImmediate();
  await setImmediate();
  if (process.resourceUsage().maxRSS * 1024 > MOST_MEMORY) {
    await tell({ number, outcome: 'crashed', text: `${process.resourceUsage().maxRSS >> 10} MiB of memory` });
    process.exit(1);
  }
  if (outcome === 'read' || outcome === 'refused') rmSync(mutantFolder, { recursive: true });
  await tell({ number, outcome, text });
}
process.disconnect();
