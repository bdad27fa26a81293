import { fail, type Graph, mesh, type StopSignal, shape } from '../core/index.ts';
import { augmentBox, strongAugmentation } from '../imaging/augment/augment.ts';
import type { ScanSource } from '../imaging/preprocess/held-scan.ts';
import type { PrepareOptions } from '../imaging/volume/prepared-case.ts';
import { voxelCount } from '../imaging/volume/volume.ts';
import { type VoxelSource, wholeBox } from '../imaging/volume/voxel-source.ts';
import type { Device } from '../machine/device.ts';
import { yieldToEvents } from '../machine/event-loop.ts';
import {
  buildStatistics,
  buildTraining,
  evenLoss,
  learningRateAt,
  type NetworkSettings,
  networkConfig,
} from '../nn/index.ts';
import { bytes, makePlan, type Plan, predictPeak, type Target } from '../plan/index.ts';
import { Session } from '../run/index.ts';
import { CLASS_HEX } from '../train/config/class-colors.ts';
import { type DiceByClass, hardDice } from '../train/record/hard-dice.ts';
import { type OpenWebRun, type WebRun, webGraph } from '../train/record/web-run.ts';
import type { GivenLabels } from './given-labels.ts';

// Trains a U-Net on one scan with its label map, by one device in this process, as `halomesh train` trains by default: batch norm, momentum,
// a cosine of the learning rate, strong augmentation. No running averages of the weights are kept: they lag behind so few steps.

export interface LearnSettings {
  readonly device: Device;
  /** Bytes that the scan, what is made of it and the device's memory may take together. */
  readonly budget: number;
  readonly steps: number;
  /** Channels of the first level of the network. */
  readonly base: number;
  readonly levels: number;
  readonly seed?: number;
  /** 0.2 by default. */
  readonly learningRate?: number;
  /** Whether every step sees the scan randomly changed; by default it does. */
  readonly augment?: boolean;
  /** Names of the classes above 0; `label 1`, by the values of the file, by default. */
  readonly names?: readonly string[];
  /** How the scan was prepared, which the run says of all scans. */
  readonly prepare: PrepareOptions;
  /** Told each step. */
  readonly onStep?: (step: LearnedStep) => void;
  /** Ends it after a step: what was learned until then is kept. */
  readonly signal?: StopSignal;
}

/** A step, in the words of a run's log. */
export interface LearnedStep {
  readonly kind: 'step';
  /** From 1 on. */
  readonly step: number;
  readonly loss: number;
  readonly dice: DiceByClass;
  readonly learningRate: number;
  readonly seconds: number;
  /** Bytes that are taken: of the device, and of the scan and what is made of it. */
  readonly bytes: number;
}

/** Trains on a prepared scan. Throws HalomeshError where that does not fit the budget, or the loss is no number. */
export async function learnScan(
  source: ScanSource,
  { labels, values }: GivenLabels,
  settings: LearnSettings,
): Promise<OpenWebRun> {
  const { device, budget, steps, seed = 0, learningRate: rate = 0.2, augment = true, signal } = settings;
  const run = runOf(source, values, settings);
  const { network, classes } = run;
  const [depth, height, width] = source.shape;
  const image = shape({ batch: 1, depth, height, width, channel: 1 });
  const even = evenLoss(classes.length);
  const { graph } = buildTraining({
    ...{ image, network, seed },
    loss: { ...even, weights: classes.map((_, cls) => (cls === 0 ? 1 : 4)), mix: 0.5, epsilon: 0.1 },
    optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true, clipNorm: 1 },
  });
  const whole = await source.image(wholeBox(source.shape));
  // The prepared scan, and the changed one with its labels; the scan of the file and the label map.
  const beside = source.bytes + 9 * voxelCount(source.shape) + labels.length;
  const plan = planWithin(graph, depth, device, budget, beside);
  const {
    program: { mesh: ranks },
    layout,
  } = plan;
  const session = new Session({ device, mesh: ranks, layout, seed });
  const sample = sampler({ ...source, whole: { image: whole, labels } }, augment, seed);
  const schedule = { kind: 'cosine', rate, steps, warmup: Math.min(10, Math.ceil(steps / 10)) } as const;
  try {
    const program = await session.load(plan);
    let done = 0;
    for (; done < steps && !signal?.aborted; done++) {
      const begun = performance.now();
      const learningRate = learningRateAt(schedule, done);
      const given = { step: Int32Array.of(done), learning_rate: Float64Array.of(learningRate) };
      const out = await program.run({ ...(await sample(done)), ...given });
      const loss = out.loss[0];
      if (!Number.isFinite(loss))
        fail({ where: `step ${done + 1}`, problem: `the loss is ${loss}`, hint: 'Lower the learning rate' });
      const counts = { both: out.count_both, predicted: out.count_predicted, truth: out.count_true };
      settings.onStep?.({
        ...{ kind: 'step', step: done + 1, loss, dice: hardDice(counts, classes), learningRate },
        ...{ seconds: (performance.now() - begun) / 1000, bytes: device.held + beside },
      });
      await yieldToEvents();
    }
    const statistics = await session.load(buildStatistics({ image, network, seed }).graph);
    program.free();
    await statistics.run({ image: whole, share: Float64Array.of(1) }, []);
    const weights = new Map<string, Float32Array | Float64Array>();
    for (const { name } of webGraph(run, [1, 1, 1]).parameters)
      weights.set(name, await session.variables.get(name));
    return { run: { ...run, step: done }, weights };
  } finally {
    session.close();
  }
}

/** What is known of the run before its first step. */
function runOf(
  { id }: ScanSource,
  values: readonly number[],
  { base, levels, names, seed = 0, prepare }: LearnSettings,
): WebRun {
  const above = values.slice(1);
  if (names !== undefined && names.length !== above.length)
    fail({
      where: 'names of the classes',
      problem: `the label map has the values ${above.join(', ')}`,
      expected: `${above.length} names`,
      found: `${names.length}: ${names.join(', ')}`,
    });
  const classes = ['background', ...(names ?? above.map((value) => `label ${value}`))];
  // As many groups as `halomesh train` would take, which batch norm makes nothing of.
  const groups = [8, 7, 6, 5, 4, 3, 2, 1].find((n) => base % n === 0);
  const settings: NetworkSettings = {
    ...{ base, levels, classes: classes.length, norm: 'batch', keep: 1, groups, kernel: 3 },
  };
  return {
    ...{ name: id, step: 0, network: networkConfig(settings), precision: 'f32', seed, averaged: false },
    ...{ exactConv: 'auto', prepare, channels: ['channel 0'], classes },
    colors: classes.map((_, n) => CLASS_HEX[(Math.max(n, 1) - 1) % CLASS_HEX.length][1]),
    ...(values.some((value, cls) => value !== cls) && { classValues: values }),
  };
}

/** Parts along the depth that are tried: ranks that take turns need less memory together. */
const PARTS = [1, 2, 4, 8, 16];

function planWithin(graph: Graph, depth: number, device: Device, budget: number, beside: number): Plan {
  const { target }: { target: Target } = device;
  const limit = Math.min(budget - beside, device.granted?.() ?? Number.POSITIVE_INFINITY);
  let least = Number.POSITIVE_INFINITY;
  for (const parts of PARTS.filter((n) => n <= depth)) {
    const plan = makePlan(graph, mesh({ depth: parts }), { depth: 'depth' }, target);
    const peak = predictPeak(plan);
    if (peak <= limit) return plan;
    least = Math.min(least, peak);
  }
  return fail({
    where: 'memory budget',
    problem: 'a training step on the scan does not fit, in however many parts',
    expected: `at least ${bytes(least)} for the network, beside ${bytes(beside)} of the scan`,
    found: `${bytes(budget)} in all`,
    hint: 'Raise the budget, take larger voxels, or fewer channels',
  });
}

/** What a step sees: the scan as it is, or changed by draws of its own. */
function sampler(source: VoxelSource, augment: boolean, seed: number) {
  const { image, labels } = source.whole!;
  const voxels = voxelCount(source.shape);
  const into = augment ? { image: new Float32Array(voxels), labels: new Uint8Array(voxels) } : undefined;
  return async (step: number): Promise<{ image: Float32Array; labels: Uint8Array }> => {
    if (into === undefined) return { image, labels: labels! };
    const key = { seed, caseIndex: 0, step };
    const changed = await augmentBox(source, strongAugmentation, key, undefined, { into });
    return { image: changed.image, labels: changed.labels! };
  };
}
