import { fail, type Graph, type Shape, showShape, type Value, volume } from '../core/index.ts';
import { castTo, gradients, inputOf, sigmoid, softmax, type VariableAttrs } from '../ops/index.ts';
import { BATCH } from './axes.ts';
import { classProbabilities } from './classifier.ts';
import { Context, type ContextOptions, type Parameter } from './context.ts';
import { classCounts, predictedLabels, regionCounts, writtenRegions } from './counts.ts';
import type { BoundaryInput } from './loss/boundary-loss.ts';
import { deepLoss } from './loss/deep-loss.ts';
import { hasBoundary } from './loss/loss-names.ts';
import { evenLoss, HOU2019_LOSS, type Loss, type LossConfig, segmentationLoss } from './loss/losses.ts';
import { isClassifier, type Network, type NetworkSettings, networkConfig, networkLevels } from './network.ts';
import { applyOptimizer, HOU2019_OPTIMIZER, type OptimizerConfig } from './optimizers.ts';
import { type Accumulation, gatherGradients, meanGradients } from './step/accumulate.ts';
import { rateFactors, unfrozen } from './step/chosen-weights.ts';
import type { FirstWeights } from './step/first-weights-names.ts';
import { CLASS } from './unet.ts';

// Whole graphs, ready to be partitioned: inputs, network, loss, gradients, optimizer, statistics.
//
//   inputs      image [batch, space..., channel] f32; labels [batch, space...] u8; step [] i32; learning_rate [] f64; in a step of
//               several batches pass [] i32, and in all but its last one first [] f32 in place of step and learning_rate;
//               with the boundary loss distances [batch, space..., class] f32 and boundary_weight [] f64
//   of a classifier: labels [batch] u8
//   outputs     loss, cross_entropy, dice_case, dice_global, soft_dice_<class>: float64 scalars
//               count_both, count_predicted, count_true: [batch, class] float64 whole numbers
//               of a classifier: loss, cross_entropy, probabilities [batch, class] f32
//   prediction  labels [batch, space...] u8; probabilities [batch, space..., class] f32 where asked for
//
// Training, evaluation and prediction name their variables alike, so the state of one serves the others.

export interface BuildOptions {
  /** Shape of the image, channels last: `shape({ batch: 1, depth: 64, height: 64, width: 64, channel: 1 })`. */
  readonly image: Shape;
  readonly network?: NetworkSettings;
  /** How activations are stored. */
  readonly storage?: 'f32' | 'bf16';
  readonly seed?: number;
  /** Outside of training: the network in the running averages of the weights. */
  readonly averaged?: boolean;
  /** How weights begin; `he-normal` by default. */
  readonly first?: FirstWeights;
}

export interface EvaluationOptions extends BuildOptions {
  /** By default the paper's for three classes, else weight 1 each and Dice on all but the background. */
  readonly loss?: LossConfig;
}

export interface TrainingOptions extends Omit<EvaluationOptions, 'averaged'> {
  readonly optimizer?: OptimizerConfig;
  /** Decay of running averages of the weights, from 0 to below 1; none are kept where absent. */
  readonly average?: number;
  /** Losses at the lower resolutions of the way up, too; see {@link deepLoss}. */
  readonly deepSupervision?: boolean;
  /** Patterns of weights that stay as they are. */
  readonly freeze?: readonly string[];
  /** Factors of the learning rate by patterns of weights. */
  readonly rates?: Readonly<Record<string, number>>;
  /** The place of this batch in a step of several; absent: a step of its own. */
  readonly accumulation?: Accumulation;
}

export interface PredictionOptions extends BuildOptions {
  /** Adds the output `probabilities`. */
  readonly probabilities?: boolean;
  /** The class that each region is written with, where the scores are those of regions that may overlap. */
  readonly written?: readonly number[];
}

/** A graph with what a life cycle needs to know of it. */
export interface Built {
  readonly graph: Graph;
  /** All variables: weights, moving statistics, optimizer slots. */
  readonly parameters: readonly Parameter[];
  /** Scores [batch, space..., class]; of a classifier [batch, class]. */
  readonly scores: Value;
  readonly network: Network;
  /** Names of the graph's outputs. */
  readonly outputs: readonly string[];
}

export interface BuiltLoss extends Built {
  readonly loss: Loss;
}

/** One training step: reads image, labels, step and learning_rate; changes the variables. */
export function buildTraining(options: TrainingOptions): BuiltLoss {
  const { accumulation } = options;
  const { deepSupervision: deep } = options;
  const ctx = contextOf(options, { training: true, accumulating: accumulation !== undefined, deep });
  const { graph } = ctx;
  const { levels, network } = addNetwork(ctx, options);
  const gathers = accumulation?.part === 'gather';
  const rate = gathers ? undefined : inputOf(graph, 'learning_rate', [], 'f64');
  // Made here even if nothing is random, so that every training graph takes the same inputs.
  if (!gathers) void ctx.step;
  if (accumulation) void ctx.pass;
  const loss = addLoss(ctx, options, network, levels);
  const trained = unfrozen(ctx, options.freeze ?? [], options.average !== undefined && !gathers);
  const grads = gradients(
    loss.loss,
    trained.map((parameter) => parameter.value),
  );
  if (rate === undefined) gatherGradients(ctx, trained, grads);
  else
    applyOptimizer(
      ctx,
      options.optimizer ?? HOU2019_OPTIMIZER,
      trained,
      accumulation ? meanGradients(ctx, trained, grads, accumulation.batches) : grads,
      rate,
      { average: options.average, factors: options.rates && rateFactors(options.rates, trained) },
    );
  return finish(ctx, network, levels[0], { loss });
}

/** Loss and counts of a trained network on labelled images: moving statistics, no dropout, nothing changes. */
export function buildEvaluation(options: EvaluationOptions): BuiltLoss {
  const ctx = contextOf(options, { training: false });
  const { levels, network } = addNetwork(ctx, options);
  const loss = addLoss(ctx, options, network, levels);
  return finish(ctx, network, levels[0], { loss });
}

/**
 * Measures the moving statistics of batch norm anew: reads image and share, changes the statistics and nothing else. Over a
 * row of images with shares 1, 1/2, 1/3... they become the means of what each image has in the network as it is now, without
 * dropout. Running averages of training lag behind the weights and hold its dropout and augmentation (Wu & Johnson 2021).
 */
export function buildStatistics(options: BuildOptions): Built {
  const ctx = contextOf(options, { measuring: true });
  const {
    levels: [scores],
    network,
  } = addNetwork(ctx, options);
  void ctx.share;
  ctx.assignUpdates();
  return finish(ctx, network, scores, {});
}

/** Segmentation of images by a trained network: output `labels` and, where asked for, `probabilities`; of a classifier these alone. */
export function buildPrediction(options: PredictionOptions): Built {
  const ctx = contextOf(options, { training: false });
  const {
    levels: [scores],
    network,
  } = addNetwork(ctx, options);
  const { written } = options;
  if (isClassifier(network)) {
    ctx.graph.output('probabilities', classProbabilities(scores));
    return finish(ctx, network, scores, {});
  }
  ctx.graph.output('labels', written ? writtenRegions(scores, written) : predictedLabels(scores));
  if (options.probabilities) {
    const wide = castTo(scores, 'f32');
    ctx.graph.output('probabilities', written ? sigmoid(wide) : softmax(wide, CLASS));
  }
  return finish(ctx, network, scores, {});
}

/** The scores of a trained network, before the softmax: output `scores`, [batch, space..., class] f32. */
export function buildScores(options: BuildOptions): Built {
  const ctx = contextOf(options, { training: false });
  const {
    levels: [scores],
    network,
  } = addNetwork(ctx, options);
  ctx.graph.output('scores', castTo(scores, 'f32'));
  return finish(ctx, network, scores, {});
}

function contextOf(
  { seed, storage, averaged, first }: BuildOptions,
  kind: Pick<ContextOptions, 'training' | 'measuring' | 'accumulating' | 'deep'>,
): Context {
  return new Context({ seed, storage, averaged, first, ...kind });
}

/** Adds the image and the network: its scores, and below them those of lower resolutions where the context is deep. */
function addNetwork(ctx: Context, options: BuildOptions): { levels: readonly Value[]; network: Network } {
  const { image } = options;
  if (image.length < 3 || image[0].name !== BATCH)
    fail({
      where: 'image',
      problem: 'impossible shape',
      expected: `[${BATCH} space... channel], such as [${BATCH} depth height width channel]`,
      found: showShape(image),
    });
  const network = networkConfig(options.network);
  const levels = networkLevels(ctx, inputOf(ctx.graph, 'image', image, 'f32'), network, ctx.deep);
  return { levels, network };
}

/** Adds the labels, the loss and the counts, and marks them as outputs. */
function addLoss(ctx: Context, options: EvaluationOptions, network: Network, levels: readonly Value[]): Loss {
  const { graph } = ctx;
  const config = options.loss ?? (network.classes === 3 ? HOU2019_LOSS : evenLoss(network.classes));
  const [scores] = levels;
  const labels = inputOf(graph, 'labels', scores.shape.slice(0, -1), 'u8');
  if (isClassifier(network)) return addImageLoss(graph, scores, labels, config);
  // Judging takes labels alone: what it tells must not change with the weight of a step.
  const boundary = ctx.training && hasBoundary(config) ? boundaryInput(graph, levels[0], config) : undefined;
  return graph.scope('loss', () => {
    const loss = deepLoss(levels, labels, config, boundary);
    const { crossEntropy, diceCase, diceGlobal, softDice } = loss.parts;
    graph.output('loss', loss.loss);
    graph.output('cross_entropy', crossEntropy);
    if (diceCase) graph.output('dice_case', diceCase);
    if (diceGlobal) graph.output('dice_global', diceGlobal);
    for (const { cls, value } of softDice) graph.output(`soft_dice_${cls}`, value);
    const { sets, ignore } = config;
    const counts = sets
      ? regionCounts(levels[0], labels, sets, ignore)
      : classCounts(levels[0], labels, ignore);
    graph.output('count_both', counts.both);
    graph.output('count_predicted', counts.predicted);
    graph.output('count_true', counts.truth);
    return loss;
  });
}

/** The loss of one label an image, and the probabilities that what is told of it comes from. */
function addImageLoss(graph: Graph, scores: Value, labels: Value, config: LossConfig): Loss {
  return graph.scope('loss', () => {
    const loss = segmentationLoss(scores, labels, config);
    graph.output('loss', loss.loss);
    graph.output('cross_entropy', loss.parts.crossEntropy);
    graph.output('probabilities', classProbabilities(scores));
    return loss;
  });
}

/** Inputs of the boundary loss. */
function boundaryInput(graph: Graph, scores: Value, { sets, dice }: LossConfig): BoundaryInput {
  return {
    distances: inputOf(graph, 'distances', scores.shape, 'f32'),
    weight: inputOf(graph, 'boundary_weight', [], 'f64'),
    regions: sets?.length ?? dice.length,
    overlap: sets !== undefined,
  };
}

function finish<T>(ctx: Context, network: Network, scores: Value, rest: T): Built & T {
  const { graph, parameters } = ctx;
  return { graph, parameters, scores, network, outputs: [...graph.outputs.keys()], ...rest };
}

/** Number of trainable weights of a graph; `filter` may pick some by name. */
export function parameterCount(graph: Graph, filter: (name: string) => boolean = () => true): number {
  let count = 0;
  for (const { op, call, outputs } of graph.nodes) {
    if (op.role !== 'variable') continue;
    const { name, trainable } = call.attrs as VariableAttrs;
    if (trainable && filter(name)) count += volume(outputs[0].shape);
  }
  return count;
}
