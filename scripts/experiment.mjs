// Does seeing the whole volume help? Trains the same network, with the same steps and changes of the samples, on whole volumes, at
// half the resolution and on patches, leaving one patient out after the other, and scores all on the voxels of the files.
//
//   npm run experiment -- --data DIR --out DIR [--held a,b] [--seeds 1,2,3] ...
//
// A run that is done is kept, one that was interrupted goes on, so the same command can be given again; OUT/results.json and
// OUT/results.md say what there is so far.
import { join, resolve } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { count, listOf, oneOf, patch, positive, UsageError } from '../dist/cli/flags/parse.js';
import { reportError } from '../dist/cli/terminal/report-error.js';
import * as hm from '../dist/index.js';
import { ceiling, runOne } from './experiment/run.mjs';
import { tables } from './experiment/table.mjs';
import { readJson, writeAtomic } from './setup/common.mjs';

const help = `Usage: npm run experiment -- --data DIR --out DIR [options]

  --data DIR       data set with label maps
  --out DIR        folder of the runs, of results.json and results.md; given again, it goes on there
  --held IDS       patients to leave out, one after the other (default: all)
  --seeds LIST     default: 1,2,3
  --class NAME     class to compare by (default: liver)
  --spacing MM     voxels of the whole volumes; twice that is half the resolution (default: 6)
  --patch D,H,W    voxels of a patch (default: 32,32,32)
  --patches N      patches a step that make up a whole volume (default: 4)
  --settings LIST  what to compare: whole, half, patch, patches (default: all)
  --base N --levels N --steps N --norm KIND    the network (default: 8, 3, 200, instance)
  --threads N      default: all cores`;

const flags = ['data', 'out', 'held', 'seeds', 'class', 'spacing', 'patch', 'patches', 'settings'];
const networkFlags = ['base', 'levels', 'steps', 'norm', 'threads'];
const options = Object.fromEntries([...flags, ...networkFlags].map((name) => [name, { type: 'string' }]));
const settingNames = ['whole', 'half', 'patch', 'patches'];

/** The command line, every choice made; undefined where help was asked for. */
function parse() {
  const words = (() => {
    try {
      return parseArgs({ options: { ...options, help: { type: 'boolean' } } }).values;
    } catch (error) {
      throw new UsageError({
        where: 'experiment',
        problem: error.message,
        hint: 'See npm run experiment -- --help',
      });
    }
  })();
  if (words.help) return undefined;
  for (const flag of ['data', 'out'])
    if (words[flag] === undefined)
      throw new UsageError({
        where: `--${flag}`,
        problem: 'is missing',
        hint: 'See npm run experiment -- --help',
      });
  const take = (name, parser, otherwise) => (words[name] === undefined ? otherwise : parser(words[name]));
  const seeds = take('seeds', listOf('--seeds', '1,2,3'), ['1', '2', '3']);
  return {
    data: resolve(words.data),
    out: resolve(words.out),
    threads: take('threads', count('--threads')),
    held: take('held', listOf('--held', 'case7,case9')),
    seeds: seeds.map(count('--seeds', 0, 0xffffffff)),
    chosen: take('settings', listOf('--settings', 'whole,half'), settingNames).map((name) =>
      oneOf('--settings', settingNames)(name),
    ),
    class: words.class ?? 'liver',
    spacing: take('spacing', positive('--spacing', ' (mm)'), 6),
    patch: take('patch', patch('--patch'), [32, 32, 32]),
    patches: take('patches', count('--patches'), 4),
    network: {
      base: take('base', count('--base'), 8),
      levels: take('levels', count('--levels', 1, 10), 3),
      steps: take('steps', count('--steps'), 200),
      norm: take('norm', oneOf('--norm', ['batch', 'instance', 'group', 'none']), 'instance'),
    },
  };
}

/** What is compared. `config`: what a run is given beside what all have in common. */
function settingsOf({ spacing, patch: size, patches, chosen }) {
  const extents = size.join(' x ');
  const all = [
    { name: 'whole', title: `whole volume, ${spacing} mm`, config: { spacing } },
    { name: 'half', title: `half the resolution, ${2 * spacing} mm`, config: { spacing: 2 * spacing } },
    { name: 'patch', title: `a patch of ${extents}, ${spacing} mm`, config: { spacing, patch: size } },
    {
      name: 'patches',
      title: `${patches} patches of ${extents}, ${spacing} mm`,
      config: { spacing, patch: size, batch: patches },
    },
  ];
  return all.filter(({ name }) => chosen.includes(name));
}

async function main() {
  const given = parse();
  if (given === undefined) {
    console.log(help);
    return;
  }
  const { cases, labelNames = [] } = await hm.openDataset(given.data);
  if (!labelNames.includes(given.class))
    throw new UsageError({ where: '--class', problem: `expected one of ${labelNames.join(', ')}` });
  const ids = cases.map(({ id }) => id);
  const held = given.held ?? ids;
  const unknown = held.filter((id) => !ids.includes(id));
  if (unknown.length > 0)
    throw new UsageError({
      where: '--held',
      problem: `no case ${unknown.join(', ')}; there are ${ids.join(', ')}`,
    });

  const { out, threads: _threads, held: _held, seeds, chosen: _chosen, ...kept } = given;
  checkSame(join(out, 'experiment.json'), kept);
  const settings = settingsOf(given);
  const found = { ...kept, held, seeds, settings, ceilings: {}, runs: [] };
  // All settings of a seed before the next seed: what is there at any time can be compared.
  for (const seed of seeds)
    for (const id of held)
      for (const setting of settings) {
        const job = { ...given, seed, setting, entry: cases[ids.indexOf(id)] };
        found.runs.push(await runOne(job));
        found.ceilings[`${setting.name} ${id}`] = await ceiling(job);
        writeAtomic(join(out, 'results.json'), `${JSON.stringify(found, null, 2)}\n`);
        writeAtomic(join(out, 'results.md'), tables(found));
      }
  console.log(`\n${tables(found)}`);
}

/** Refuses a folder with runs of another experiment. */
function checkSame(file, settings) {
  const plain = JSON.parse(JSON.stringify(settings));
  const before = readJson(file);
  if (before === null) writeAtomic(file, `${JSON.stringify(plain, null, 2)}\n`);
  else if (!isDeepStrictEqual(before, plain))
    throw new UsageError({
      where: file,
      problem: 'the folder holds an experiment with other settings',
      expected: JSON.stringify(before),
      found: JSON.stringify(plain),
      hint: 'Give another --out',
    });
}

try {
  await main();
} catch (error) {
  process.exitCode = reportError(error, (text) => process.stderr.write(text));
}
