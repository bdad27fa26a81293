import { cpSync } from 'node:fs';
import path from 'node:path';
import { readImageLabels } from '../../../dist/imaging/dataset/image-labels.js';
import { surveyDataset, writePhantom } from '../../../dist/imaging/index.js';
import { assumedSpeeds } from '../../../dist/machine/index.js';
import { splitOf } from '../../../dist/train/config/held-out.js';
import {
  cutLog,
  readConfigFile,
  readLog,
  readMachineFile,
  resolveConfig,
} from '../../../dist/train/index.js';
import { mutateBytes, mutateJson, mutateText } from '../mutate.mjs';

const configs = [
  {
    ...{
      preset: 'default',
      data: '/data',
      out: '/run',
      classes: ['background', 'liver'],
      validation: ['a'],
      size: 16,
    },
    ...{
      window: { lower: -100, upper: 200 },
      augmentation: 'mild',
      mesh: { depth: 2 },
      layout: { depth: 'depth' },
    },
    ...{
      device: 'cpu',
      threads: 2,
      memoryLimit: 1e9,
      base: 4,
      levels: 2,
      norm: 'batch',
      dropoutKeep: 0.9,
      precision: 'f32',
    },
    loss: { weights: [1, 2], foregroundWeight: 0.5, dice: [1], mix: 0.5, epsilon: 1e-5 },
    ...{
      deepSupervision: false,
      optimizer: { kind: 'adam', beta1: 0.9 },
      clipNorm: 1,
      ema: 0.9,
      learningRate: 0.01,
    },
    ...{
      schedule: { kind: 'cosine', warmup: 3 },
      steps: 10,
      batch: 1,
      sampling: 'uniform',
      checkpointEvery: 5,
    },
    ...{ bestBy: 'dice', patience: 3, statisticsCases: 2, seed: 1 },
  },
  {
    ...{ preset: 'hou2019', data: '/data', out: '/run', split: { depth: 2, height: 2 }, fold: '0/5' },
    ...{
      optimizer: { kind: 'sgd', momentum: 0.9 },
      schedule: { kind: 'poly', power: 0.9 },
      slices: 3,
      spacing: 2,
    },
  },
  {
    ...{ data: '/data', out: '/run', classes: ['background', 'label 1', 'core'], classValues: [0, 1, 4] },
    regions: [
      { name: 'whole', classes: [1, 2], written: 1 },
      { name: 'core', classes: [2], written: 2 },
    ],
  },
].map((value) => JSON.stringify(value));

/** Names of Object.prototype that a file has changed; the prototype is put right. */
function polluted() {
  for (const key in {}) {
    delete Object.prototype[key];
    return `every object now has "${key}"`;
  }
  return undefined;
}

export function config() {
  return {
    mutant: (random) => ({ 'config.json': Buffer.from(mutateJson(random, random.pick(configs))) }),
    read(folder) {
      const settings = resolveConfig(readConfigFile(path.join(folder, 'config.json')));
      if (Object.getPrototypeOf(settings) !== Object.prototype) return 'the config has another prototype';
      return polluted();
    },
    // Keys that are sound one by one and do not fit together are told by their names.
    errors: { names: /config\.json|config "/ },
  };
}

const lists = [
  {
    ...{ name: 'n', modality: { 0: 'CT' }, labels: { 0: 'background', 1: 'liver', 2: 'tumour' } },
    training: [0, 1].map((i) => ({
      image: `./imagesTr/phantom_00${i}.nii.gz`,
      label: `./labelsTr/phantom_00${i}.nii.gz`,
    })),
    test: [],
  },
  {
    ...{
      channel_names: { 0: 'CT' },
      labels: { background: 0, liver: 1, tumour: 2 },
      file_ending: '.nii.gz',
      numTraining: 2,
    },
    dataset: Object.fromEntries(
      [0, 1].map((i) => [
        `c${i}`,
        { images: [`imagesTr/phantom_00${i}.nii.gz`], label: `labelsTr/phantom_00${i}.nii.gz` },
      ]),
    ),
  },
  {
    ...{ channel_names: { 0: 'CT' }, file_ending: '.nii.gz' },
    labels: { background: 0, whole: [1, 2, 3], core: [2, 3], enhancing: 3, ignore: 4 },
    regions_class_order: [1, 2, 3],
  },
  {
    ...{
      channel_names: { 0: 'T1', 1: 'CT' },
      labels: { background: 0, liver: 1, tumour: 2 },
      file_ending: '.nii.gz',
    },
    dataset: Object.fromEntries(
      [0, 1].map((i) => [
        `c${i}`,
        {
          images: [0, 0].map(() => `imagesTr/phantom_00${i}.nii.gz`),
          label: `labelsTr/phantom_00${i}.nii.gz`,
        },
      ]),
    ),
  },
  {
    ...{ name: 'n', modality: { 0: 'T1', 1: 'T2' }, labels: { 0: 'background', 1: 'liver', 2: 'tumour' } },
    training: [{ image: './imagesTr/phantom_000.nii.gz', label: './labelsTr/phantom_000.nii.gz' }],
    test: ['./imagesTr/phantom_001.nii.gz'],
  },
].map((value) => JSON.stringify(value));

/** What is wrong with regions that were taken; undefined where nothing is. */
function wrongRegion({ labelNames = [], labelCodes }) {
  for (const { name, classes, written } of labelCodes?.regions ?? [])
    if (classes.some((cls) => !(cls > 0 && cls < labelNames.length)) || !classes.includes(written))
      return `the region ${name} has the classes ${classes}, written ${written}, of ${labelNames.length}`;
  return undefined;
}

export async function dataset(folder) {
  await writePhantom({ out: folder, size: 16, cases: 2, overwrite: true });
  return {
    mutant: (random) => ({ 'dataset.json': Buffer.from(mutateJson(random, random.pick(lists))) }),
    async read(place) {
      for (const part of ['imagesTr', 'labelsTr'])
        cpSync(path.join(folder, part), path.join(place, part), { recursive: true });
      const { dataset: found } = await surveyDataset(place);
      for (const { id } of [...found.cases, ...found.test])
        if (id === '' || id === '.' || id === '..' || /[/\\\p{Cc}]/u.test(id))
          return `a case has the id ${JSON.stringify(id)}`;
      for (const { id, channels } of found.cases)
        if ((channels?.length ?? 1) !== (found.channelNames?.length ?? 1))
          return `the case ${JSON.stringify(id)} has ${channels?.length ?? 1} channels of ${found.channelNames?.length ?? 1}`;
      for (const name of found.labelNames ?? [])
        if (typeof name !== 'string') return `a class has the name ${name}`;
      const wrong = wrongRegion(found);
      if (wrong !== undefined) return wrong;
      return polluted();
    },
  };
}

export function machine() {
  const text = JSON.stringify(assumedSpeeds(2));
  return {
    mutant: (random) => ({ 'machine.json': Buffer.from(mutateJson(random, text)) }),
    read(folder) {
      readMachineFile(path.join(folder, 'machine.json'));
      return polluted();
    },
  };
}

const cases = ['c0', 'c1', 'c2', 'c3', 'c4'].map((id) => ({ id, image: id }));
const splits = [
  ['c0', 'c1'],
  { validation: ['c0'], training: ['c1', 'c2'] },
  [
    { train: ['c0'], val: ['c1'] },
    { train: ['c1'], val: ['c0'] },
  ],
].map((value) => JSON.stringify(value));

export function split() {
  return {
    mutant: (random) => ({
      ...(random.once(4)
        ? { 'split.txt': mutateBytes(random, Buffer.from('c0\nc1 # the second\n\nc2\n')) }
        : { 'split.json': Buffer.from(mutateJson(random, random.pick(splits))) }),
      fold: Buffer.from(random.pick(['', '0', '1', '2'])),
    }),
    read(folder, files) {
      const file = path.join(folder, Object.keys(files)[0]);
      const found = splitOf({ cases }, { validation: file, fold: `${files.fold}` || undefined, seed: 1 });
      for (const id of [...found.validation, ...(found.training ?? [])])
        if (!cases.some((one) => one.id === id)) return `case ${JSON.stringify(id)} is in no data set`;
      return polluted();
    },
    errors: { names: /split\.(txt|json)|config "fold"/ },
  };
}

const tables = [
  'id,label\na,benign\nb,malignant\n',
  '\ufeffcase,Label,ID\r\n1,"grade, 1","a"\r\n2,"a ""quote""",b\r\n\r\n3,grade 2,c',
  'id,label,note\n"a\nb",x,\nc,y,"two\nlines"\n',
];

export function labels() {
  return {
    mutant(random) {
      const table = random.pick(tables);
      return {
        'labels.csv': random.once(3)
          ? mutateBytes(random, Buffer.from(table))
          : Buffer.from(mutateText(random, table)),
      };
    },
    async read(folder) {
      const { classes, of } = await readImageLabels(path.join(folder, 'labels.csv'));
      if (of.size === 0) return 'a table without an image';
      for (const [id, label] of of)
        if (id === '' || !classes.includes(label))
          return `image ${JSON.stringify(id)} of ${JSON.stringify(label)}`;
      if (new Set(of.values()).size !== classes.length) return 'a class without an image';
      return polluted();
    },
  };
}

const figures = { loss: 0.5, dice: { liver: 0.5, tumour: null }, seconds: 1 };
const step = {
  kind: 'step',
  epoch: 1,
  cases: ['a'],
  ...figures,
  crossEntropy: 0.4,
  diceCase: -0.2,
  softDice: { liver: 0.3 },
};
const more = { learningRate: 0.01, peakRssBytes: 1e8, bytesSent: 0 };
const lines = [
  { ...step, step: 1, ...more },
  { kind: 'validation', step: 1, ...figures },
  { ...step, step: 2, ...more },
].map((line) => JSON.stringify(line));

export function log() {
  return {
    mutant(random) {
      const damaged = [...lines];
      const at = random.below(lines.length);
      if (!random.once(3)) damaged[at] = mutateJson(random, damaged[at]);
      const bytes = Buffer.from(`${damaged.join('\n')}\n`);
      return { 'log.jsonl': random.once(3) ? mutateBytes(random, bytes) : bytes };
    },
    async read(folder) {
      const file = path.join(folder, 'log.jsonl');
      const kept = await cutLog(file, 1);
      if (!kept.every((line) => line.step <= 1)) return 'a line of a later step is left';
      if ((await readLog(file)).length !== kept.length)
        return 'the log that was cut has other lines than those that were kept';
      return undefined;
    },
  };
}
