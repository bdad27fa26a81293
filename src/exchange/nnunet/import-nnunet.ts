import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../../core/index.ts';
import { writeTextAtomically } from '../../files/index.ts';
import {
  resolveConfig,
  runFolder,
  settingIn,
  type TensorData,
  type TrainConfig,
  writeSafetensors,
} from '../../train/index.ts';
import { checkpointTexts } from '../../train/record/checkpoint.ts';
import { takeRun } from '../../train/record/run-place.ts';
import { kindOf } from '../torch/pickle.ts';
import type { PickleValue } from '../torch/pickle-values.ts';
import type { TorchTensor } from '../torch/tensors.ts';
import { openTorch, type TorchFile } from '../torch/torch-file.ts';
import { permuted, torchKey, torchOrder, torchShape, type Weight, weightsOf } from '../weights/weights.ts';
import { type Imported, importedOf } from './architecture.ts';
import { configurationOf, readDataset, readPlans } from './plans.ts';
import { mirroredAxes, wayOf } from './way.ts';

export interface ImportOptions {
  /** Folder of a result of nnU-Net v2: plans.json, dataset.json, and the folds. */
  readonly nnunet: string;
  /** Folder of the run to make. */
  readonly out: string;
  /** Which fold, `0` or `all`; the only one by default. */
  readonly fold?: string;
  /** Which of its checkpoints; `final` by default. */
  readonly checkpoint?: 'final' | 'best';
}

export interface ImportResult {
  readonly run: string;
  /** The checkpoint that was read. */
  readonly file: string;
  readonly configuration: string;
  readonly config: TrainConfig;
  /** How many numbers the network has. */
  readonly weights: number;
}

/** Epochs of nnU-Net have so many steps. */
const STEPS = 250;

/**
 * Makes a run of a result of nnU-Net v2, which predicts and evaluates like one that was trained here. Throws HalomeshError for a
 * network that cannot be represented, by the name of what cannot; then nothing is written.
 */
export async function importNnunet(options: ImportOptions): Promise<ImportResult> {
  const { nnunet, out } = options;
  if (!existsSync(path.join(nnunet, 'plans.json')))
    fail({
      where: nnunet,
      problem: 'is no folder of a result of nnU-Net',
      expected: 'plans.json, dataset.json and folders such as fold_0',
      found: 'no plans.json',
      hint: 'Give the folder of a trainer, such as Dataset003_Liver/nnUNetTrainer__nnUNetPlans__3d_fullres',
    });
  const plans = readPlans(nnunet);
  const dataset = readDataset(nnunet);
  const file = checkpointIn(options);
  const opened = await openTorch(file);
  try {
    const checkpoint = dictionaryOf(file, 'the checkpoint', opened.value);
    const settings = dictionaryOf(file, '"init_args"', checkpoint.get('init_args') ?? null);
    const name = settings.get('configuration');
    if (typeof name !== 'string')
      return fail({
        where: file,
        problem: '"init_args.configuration"',
        expected: 'a text',
        found: kindOf(name ?? null),
      });
    const planFile = path.join(nnunet, 'plans.json');
    const configuration = configurationOf(planFile, plans, name);
    const imported = importedOf(
      planFile,
      plans,
      { name, configuration },
      { file: path.join(nnunet, 'dataset.json'), content: dataset },
    );
    const epochs = checkpoint.get('current_epoch');
    const step =
      typeof epochs === 'number' && Number.isSafeInteger(epochs) && epochs >= 0 ? epochs * STEPS : 0;
    const where = `${planFile} "configurations.${name}"`;
    const given = checkpoint.get('inference_allowed_mirroring_axes') ?? null;
    const mirrored = mirroredAxes(file, given, imported.turned);
    const way = wayOf(where, plans, configuration, imported.patch, mirrored);
    const config = configOf(imported, way, { data: nnunet, out, step });
    const tensors = await tensorsOf(file, opened, checkpoint, config, imported);
    const folder = runFolder(config.out);
    const taken = await takeRun(folder, config, () => undefined);
    try {
      await writeSafetensors(
        folder.latest,
        tensors.map(({ name, shape, data }) => ({ name, dtype: 'F32', shape, data: () => data })),
        checkpointTexts(step, config),
      );
      // A folder without a config is no run.
      await writeTextAtomically(folder.config, `${JSON.stringify(config, null, 2)}\n`);
    } finally {
      taken.lock.release();
    }
    const weights = tensors.reduce((sum, { data }) => sum + data.length, 0);
    return {
      run: folder.dir,
      file,
      configuration: name,
      config,
      weights,
    };
  } finally {
    await opened.close();
  }
}

/** The file of the chosen fold and checkpoint. */
function checkpointIn({ nnunet, fold, checkpoint = 'final' }: ImportOptions): string {
  const name = `checkpoint_${checkpoint}.pth`;
  const direct = path.join(nnunet, name);
  if (fold === undefined && existsSync(direct)) return direct;
  const folds = readdirSync(nnunet)
    .filter((entry) => /^fold_\w+$/.test(entry) && statSync(path.join(nnunet, entry)).isDirectory())
    .map((entry) => entry.slice('fold_'.length))
    .sort();
  const chosen = fold ?? (folds.length === 1 ? folds[0] : undefined);
  if (chosen === undefined || !folds.includes(chosen))
    return fail({
      where: nnunet,
      problem: 'fold to import',
      expected:
        folds.length > 0 ? `one of ${folds.join(', ')}` : `a folder fold_0 with ${name}, or ${name} itself`,
      found: chosen ?? (folds.length > 0 ? 'none given' : 'neither'),
      hint: folds.length > 0 ? 'Choose one with --fold' : undefined,
    });
  const file = path.join(nnunet, `fold_${chosen}`, name);
  if (!existsSync(file)) fail({ where: file, problem: 'there is no such checkpoint' });
  return file;
}

function dictionaryOf(file: string, what: string, value: PickleValue): Map<PickleValue, PickleValue> {
  if (value instanceof Map) return value;
  return fail({
    where: file,
    problem: `${what} is no checkpoint of nnU-Net v2`,
    expected: 'a dictionary',
    found: kindOf(value),
  });
}

/** The config of the run. What it would be trained on with is as nnU-Net's own trainer does. */
function configOf(
  { network, labels, spacing, window, channels, normalization, patch, batch }: Imported,
  nnunet: TrainConfig['nnunet'],
  { data, out, step }: { readonly data: string; readonly out: string; readonly step: number },
): TrainConfig {
  const given = {
    // Its weights are no running averages, which leaves this preset alone.
    preset: 'hou2019',
    ...labels,
    ...{ nnunet, data, out, network, spacing, window, channels, normalization, patch, batch },
    ...{ base: network.stages[0].filters, levels: network.stages.length, norm: 'instance', dropoutKeep: 1 },
    ...{ precision: 'f32', augmentation: 'strong', deepSupervision: true },
    loss: { foregroundWeight: 1, mix: 0.5 },
    optimizer: { kind: 'sgd', momentum: 0.99, nesterov: true, weightDecay: 3e-5 },
    ...{ learningRate: 0.01, schedule: { kind: 'poly', power: 0.9 }, clipNorm: 12, steps: Math.max(1, step) },
  };
  return resolveConfig(given, settingIn(`${path.join(data, 'plans.json')}, as a config:`));
}

interface Tensor extends Weight {
  readonly data: TensorData;
}

/** The weights of the network by their names here. Refuses a checkpoint that has other ones than its plans say. */
async function tensorsOf(
  file: string,
  opened: TorchFile,
  checkpoint: ReadonlyMap<PickleValue, PickleValue>,
  config: TrainConfig,
  { labels, turned }: Imported,
): Promise<Tensor[]> {
  const given = new Map<string, TorchTensor>();
  const stored = dictionaryOf(file, '"network_weights"', checkpoint.get('network_weights') ?? null);
  for (const [key, value] of stored) {
    const isTensor =
      typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'tensor';
    if (typeof key !== 'string' || !isTensor)
      return fail({
        where: file,
        problem: '"network_weights"',
        expected: 'tensors by name',
        found: `${kindOf(value)} at ${String(key)}`,
      });
    // Of a network over several processes.
    given.set(key.replace(/^module\./, ''), value);
  }
  const wanted = weightsOf(config, labels.classes.length, true);
  const keys = new Map(wanted.map(({ name }) => [torchKey(name, config), name]));
  const foreign = [...given.keys()].find((key) => !keys.has(key) && !isSpare(key, keys));
  if (foreign !== undefined)
    fail({
      where: file,
      problem: 'holds a weight that its plans do not have',
      found: foreign,
      hint: 'Do plans.json and the checkpoint belong together?',
    });
  const tensors: Tensor[] = [];
  for (const [key, name] of keys) {
    const { shape } = wanted.find((weight) => weight.name === name)!;
    tensors.push({ name, shape, data: await weightFrom(file, opened, key, given.get(key), shape, turned) });
  }
  return tensors;
}

/**
 * Whether a key is one that nothing is lost without: the same layers under a second name, and biases of convolutions before an
 * instance norm, which takes them away.
 */
function isSpare(key: string, keys: ReadonlyMap<string, string>): boolean {
  if (key.includes('.all_modules.') || key.startsWith('decoder.encoder.')) return true;
  return key.endsWith('.conv.bias') && keys.has(key.replace(/bias$/, 'weight'));
}

async function weightFrom(
  file: string,
  opened: TorchFile,
  key: string,
  tensor: TorchTensor | undefined,
  shape: readonly number[],
  turned: readonly number[],
): Promise<Float32Array> {
  // Kernels lie along the axes of the network there.
  const kernels = shape.slice(0, -2);
  const inNetwork = shape.length < 3 ? shape : [...turned.map((axis) => kernels[axis]), ...shape.slice(-2)];
  const expected = torchShape(inNetwork);
  if (tensor === undefined || tensor.shape.join() !== expected.join())
    return fail({
      where: file,
      problem: `weight "${key}"`,
      expected: `shape [${expected.join(', ')}]`,
      found: tensor === undefined ? 'none' : `[${tensor.shape.join(', ')}]`,
      hint: 'Do plans.json and the checkpoint belong together?',
    });
  const numbers = await opened.read(tensor, key);
  if (numbers instanceof BigInt64Array)
    return fail({ where: file, problem: `weight "${key}"`, expected: 'real numbers', found: tensor.type });
  const odd = numbers.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0)
    fail({ where: file, problem: `weight "${key}"`, expected: 'finite numbers', found: `${numbers[odd]}` });
  if (shape.length < 3) return Float32Array.from(numbers);
  // From [two of channels, kernels of the network] to [kernels of the image, channels].
  const { length } = torchOrder(shape.length);
  const axes = Array.from({ length: length - 2 }, (_, axis) => 2 + turned.indexOf(axis));
  return permuted(numbers, expected, [...axes, 1, 0]);
}
