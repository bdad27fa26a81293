import { availableParallelism } from 'node:os';
import { COMPUTING_DEVICES } from '../../machine/index.ts';
import { HOU2019, HOU2019_LOSS } from '../../nn/index.ts';
import type { Preset, TrainConfig } from './config-type.ts';

/** What a preset decides; the rest (data, out, size, split...) is the user's. */
type PresetSettings = Omit<TrainConfig, 'preset' | 'data' | 'out'>;

/**
 * Found on CT of the trunk whose liver takes 3 to 8 % of the volume, for patients beside the few that it learns from. A window of
 * soft tissue matters most: in that of the paper, livers differ from what is around them by a few percent, and a network learns
 * their places by heart. Plain momentum moves the last layer and the norms as far as they need to go, where Adam's bounded steps
 * would take many times as many.
 */
const standard: PresetSettings = {
  window: { lower: -160, upper: 240 },
  augmentation: 'strong',
  mesh: {},
  layout: {},
  device: COMPUTING_DEVICES[0],
  threads: availableParallelism(),
  base: 16,
  levels: 4,
  norm: 'batch',
  dropoutKeep: 1,
  precision: 'f32',
  loss: { foregroundWeight: 4, mix: 0.5, epsilon: 0.1 },
  deepSupervision: false,
  optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true },
  clipNorm: 1,
  ema: 0.99,
  learningRate: 0.2,
  schedule: { kind: 'cosine', warmup: 10 },
  steps: 300,
  batch: 1,
  sampling: 'uniform',
  checkpointEvery: 100,
  bestBy: 'dice',
  statisticsCases: 8,
  seed: 0,
};

/** Hou et al. 2019 (arXiv 1909.03108) after its published code, but with one volume a step where the code has 32. */
const hou2019: PresetSettings = {
  ...standard,
  size: 128,
  window: { lower: -512, upper: 512 },
  augmentation: 'paper',
  base: HOU2019.base,
  levels: HOU2019.levels,
  norm: HOU2019.norm,
  dropoutKeep: HOU2019.keep,
  precision: 'bf16',
  loss: { ...HOU2019_LOSS, foregroundWeight: 8 },
  optimizer: { kind: 'adafactor' },
  clipNorm: undefined,
  ema: undefined,
  deepSupervision: false,
  learningRate: 0.003,
  schedule: { kind: 'step', factor: 0.3, every: 20000 },
  steps: 50000,
  checkpointEvery: 500,
  statisticsCases: 0,
};

/** The same network on single slices, with one neighbour on each side, and the paper's batch of 32. */
const hou2019Slices: PresetSettings = { ...hou2019, slices: 3, batch: 32 };

export const presets: Readonly<Record<Preset, PresetSettings>> = {
  default: standard,
  hou2019,
  'hou2019-2d': hou2019Slices,
};
