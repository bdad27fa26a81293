// Trains on a real CT, segments it and another one, and shows what came out, in ./demo-run. Runs after the set-up.
//
//   node scripts/demo.mjs [--quick]
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runTraining } from '../dist/cli/actions/train.js';
import { UsageError } from '../dist/cli/flags/parse.js';
import { reportError } from '../dist/cli/terminal/report-error.js';
import * as hm from '../dist/index.js';
import { packageRoot } from './setup/common.mjs';

const settings = {
  full: { spacing: 3, steps: 120, leastDice: 0.9, mostSeconds: 240, time: 'about two minutes' },
  quick: { spacing: 6, steps: 70, leastDice: 0.75, mostSeconds: 120, time: 'less than a minute' },
};
const split = { depth: 2, height: 2, width: 2 };
const classes = ['background', 'liver'];
const out = resolve('demo-run');
const show = (file) => relative('', file) || '.';

/** What an earlier demo left is removed, and nothing else. */
function prepareFolder() {
  const mark = join(out, 'made-by-halomesh-demo');
  if (existsSync(out) && readdirSync(out).length > 0 && !existsSync(mark)) {
    throw new hm.HalomeshError({
      where: show(out),
      problem: 'holds files that are not of an earlier demo',
      hint: 'Move them away, or run the demo in another folder',
    });
  }
  mkdirSync(out, { recursive: true });
  writeFileSync(mark, 'npm run demo removes and writes the files in this folder anew.\n');
  const own = /^(run|(segmentation|overlay|progress).*\.(nii\.gz|png))$/;
  for (const name of readdirSync(out)) if (own.test(name)) rmSync(join(out, name), { recursive: true });
}

/** Segments the one case of a data set, compares with its labels and draws both. */
async function segment(run, data, picture) {
  const [entry] = (await hm.openDataset(data)).cases;
  const output = join(out, `segmentation-${entry.id}.nii.gz`);
  await hm.predict({ run, input: entry.image, output });
  // The file that was written, on the voxels of the scan.
  const scan = await hm.loadCase(entry);
  const prediction = (await hm.loadCase({ ...entry, label: output })).labels;
  const dice = new hm.Confusion(classes.length).add(prediction, scan.labels).dice(1);
  const overlay = join(out, picture);
  hm.drawOverlay({
    image: scan.image,
    truth: scan.labels,
    prediction,
    shape: scan.shape,
    spacing: hm.spacingOf(scan),
    file: overlay,
    title: `${entry.id}: prediction of halomesh, labels of TotalSegmentator`,
    classNames: classes,
    dice: { liver: dice },
  });
  return { id: entry.id, dice, files: [output, overlay] };
}

async function demo({ spacing, steps, leastDice, mostSeconds, time }) {
  const begun = performance.now();
  const [seen, unseen] = ['ct', 'ct-unseen'].map((name) => join(packageRoot, 'data', name));
  console.log(`This demo trains a 3-D U-Net to find the liver in a whole CT, without cutting the scan into patches: every layer
is split over a mesh of 2 x 2 x 2 ranks (here all in one process), which exchange the margins of their blocks.

The CT is real: one scan of the trunk, 112 x 101 x 122 voxels of 3 mm, from the examples of TotalSegmentator
(Apache-2.0, see data/ct/NOTICE.md). Its labels are that program's output and not expert truth. The network sees the
scan at ${spacing} mm, each time turned, stretched and made noisy in another way. It takes ${time} on two cores.
`);
  prepareFolder();
  const run = join(out, 'run');
  const config = hm.resolveConfig({
    data: seen,
    out: run,
    classes,
    spacing,
    split,
    steps,
    base: 8,
    // Without mirroring: that would teach that liver and spleen are the same.
    augmentation: 'mild',
    checkpointEvery: steps,
  });
  const result = await runTraining(config, { mostSeconds });
  if (result.interrupted)
    console.log(`time is up after step ${result.step} of ${steps}: going on with the network so far`);

  console.log('\nsegmenting the scan that it learnt from, and one that it never saw');
  const cases = [await segment(run, seen, 'overlay.png'), await segment(run, unseen, 'overlay-unseen.png')];
  const progress = join(out, 'progress.png');
  copyFileSync(hm.runFolder(run).progress, progress);

  const files = [...cases.flatMap((one) => one.files), progress];
  const missing = files.filter((file) => !existsSync(file) || statSync(file).size === 0);
  const [first, second] = cases;
  const [scan] = (await hm.openDataset(unseen)).cases;
  console.log(`
liver Dice  ${first.dice.toFixed(3)}  ${first.id}, the scan that it was trained on
            ${second.dice.toFixed(3)}  ${second.id}, a slab of another patient that it never saw (one scan teaches little: use more)
finished in ${((performance.now() - begun) / 1000).toFixed(0)} s

The files are in ./${show(out)}:
  overlay.png, overlay-unseen.png   three slices with the outlines of prediction and labels
  progress.png                      loss and Dice, step by step
  segmentation-*.nii.gz             the segmentations, for any NIfTI viewer
  run/                              config, log and checkpoints

What to try next:
  npx halomesh evaluate --run ${show(run)} --data ${show(unseen)}
  npx halomesh predict --run ${show(run)} --input ${show(scan.image)} --output liver.nii.gz --split depth=4
  npx halomesh plan --size 512 --precision bf16 --split depth=4,height=2,width=2
  npx halomesh phantom --out phantoms --size 96
  npx halomesh train --data phantoms --out runs/phantom --split depth=2,height=2 --steps 100`);
  if (missing.length > 0) throw new Error(`these files were not written: ${missing.map(show).join(', ')}`);
  if (first.dice < leastDice)
    throw new hm.HalomeshError({
      where: 'demo',
      problem: 'liver Dice on the training scan',
      expected: `at least ${leastDice}`,
      found: first.dice.toFixed(3),
    });
}

/** The command line: whether the demo shall be short. */
function wantsQuick() {
  try {
    return parseArgs({ options: { quick: { type: 'boolean' } } }).values.quick ?? false;
  } catch (error) {
    throw new UsageError({ where: 'demo', problem: error.message, hint: 'Usage: npm run demo [-- --quick]' });
  }
}

try {
  await demo(wantsQuick() ? settings.quick : settings.full);
} catch (error) {
  process.exitCode = reportError(error, (text) => process.stderr.write(text));
}
