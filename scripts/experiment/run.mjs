// One run of the experiment: train, segment the patient that was left out, score. Everything but the prediction by patches is done by the
// commands of halomesh, each in a process of its own, so that its peak of memory is its own.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as hm from '../../dist/index.js';
import { packageRoot, readJson, writeAtomic } from '../setup/common.mjs';
import { predictByPatches } from './patches.mjs';

const halomesh = join(packageRoot, 'bin/halomesh.js');

/** Trains and scores by one setting, with one patient left out, from one seed; the facts of a run that is done are read from its file. */
export async function runOne(job) {
  const { data, out, setting, entry, seed, network, threads } = job;
  const name = `${setting.name}-${entry.id}-${seed}`;
  const folder = join(out, 'runs', name);
  const file = join(folder, 'facts.json');
  const known = readJson(file);
  if (known !== null) return known;
  console.log(`\n${setting.title}, ${entry.id} left out, seed ${seed}`);

  const config = {
    ...{ data, out: folder, seed, validation: [entry.id], threads },
    ...network,
    // One checkpoint, the last: the patient who is left out chooses none.
    checkpointEvery: network.steps,
    ...setting.config,
  };
  const { latest, log } = hm.runFolder(folder);
  const resume = existsSync(latest);
  if (!resume) rmSync(folder, { recursive: true, force: true });
  const given = join(out, 'configs', `${name}.json`);
  writeAtomic(given, `${JSON.stringify(config, null, 2)}\n`);
  await command('train', '--config', given, ...(resume ? ['--resume'] : []));

  const steps = (await hm.readLog(log)).filter(({ kind }) => kind === 'step');
  const plan = await answer('plan', '--config', given, '--json');
  const whole = await score(job, ['--run', folder, '--checkpoint', 'latest'], join(folder, 'evaluation'));
  const facts = {
    ...{ setting: setting.name, held: entry.id, seed },
    dice: config.patch === undefined ? whole : await scorePatches(job, folder, config.patch),
    ...(config.patch && { diceOfWholeVolume: whole }),
    secondsPerStep: median(steps.map(({ seconds }) => seconds)),
    peakRssBytes: Math.max(...steps.map(({ peakRssBytes }) => peakRssBytes)),
    flops: plan.flops,
    tensorBytes: plan.ranks[0].tensorBytes,
  };
  writeAtomic(file, `${JSON.stringify(facts, null, 2)}\n`);
  return facts;
}

/** Dice of the true labels themselves, brought to the voxels of a setting and back: what the best network could have. */
export async function ceiling({ out, setting, ...job }) {
  const { spacing } = setting.config;
  const folder = join(out, 'ceilings', `${spacing}mm-${job.entry.id}`);
  const known = readJson(join(folder, 'dice.json'));
  if (known !== null) return known.dice;
  const scan = await hm.loadCase(job.entry, { spacing });
  await writeLabels(folder, scan, scan.labels);
  const dice = await score(job, ['--predictions', folder], folder);
  writeAtomic(join(folder, 'dice.json'), `${JSON.stringify({ dice })}\n`);
  return dice;
}

async function scorePatches(job, folder, patch) {
  const run = await hm.openRun({ run: folder, checkpoint: 'latest' });
  try {
    const { spacing, window } = run.config;
    const scan = await hm.loadCase({ ...job.entry, labelNames: run.classes }, { spacing, window });
    const predictions = join(folder, 'patched');
    await writeLabels(predictions, scan, await predictByPatches(run, scan, patch));
    return await score(job, ['--predictions', predictions], predictions);
  } finally {
    run.free();
  }
}

/** Labels of a prepared scan as a file on the scan's own voxels. */
async function writeLabels(folder, scan, labels) {
  mkdirSync(folder, { recursive: true });
  await hm.writeNifti(join(folder, `${scan.id}.nii.gz`), hm.restoreLabels(labels, scan), { type: 'uint8' });
}

/** Dice of the class that the experiment looks at, on the voxels of the files. */
async function score({ data, entry, class: name }, what, out) {
  const rest = ['--data', data, '--cases', entry.id, '--no-overlays', '--out', out, '--overwrite', '--json'];
  const report = await answer('evaluate', ...what, ...rest);
  return (report.original ?? report).cases[0].dice[name];
}

/** Runs a command before the user's eyes. */
function command(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [halomesh, ...args], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new hm.HalomeshError({ where: `halomesh ${args[0]}`, problem: `ended with ${code}` }));
    });
  });
}

/** The JSON that a command prints. */
async function answer(...args) {
  const { stdout } = await promisify(execFile)(process.execPath, [halomesh, ...args], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout);
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
