import { fail, type Value } from '../../core/index.ts';
import {
  abs,
  add,
  castTo,
  constant,
  div,
  equal,
  exp,
  less,
  log,
  maximum,
  mul,
  neg,
  reduceSum,
  sigmoid,
  sub,
  tableOf,
} from '../../ops/index.ts';
import { BATCH, channelOf, countOver } from '../axes.ts';

// Losses of regions: sets of classes that a network tells one by one, by a sigmoid of each one's own score, so that they may
// overlap. They are made of element-wise operations and sums, so every device and every split runs them.
//
//   scores  [batch, space..., class] z      one for each region, p = sigmoid(z)
//   labels  [batch, space...]               classes; t = 1 where the label is one of the region's classes
//   m                                       0 where a voxel is left out, else 1
//
//   bce     mean over regions and over voxels with m = 1 of  w (softplus(z) - t z),  w = 1 + (weight - 1) t,
//           which is -(t log p + (1 - t) log(1 - p)) where the weight is 1
//   sums    pt = sum(m p t), p = sum(m p), t = sum(m t) of each case and region, from which Dice and Tversky follow as for classes

/** What the losses of regions are made with. */
export interface SetSettings {
  /** Classes of each region. */
  readonly regions: readonly (readonly number[])[];
  /** Weight of the voxels of each region in its cross-entropy. */
  readonly weights: readonly number[];
  readonly epsilon: number;
  readonly alpha: number;
  readonly beta: number;
  /** The label of voxels that are left out; none where absent. */
  readonly ignore?: number;
}

/** A number for each score, [class] f32. */
function table(scores: Value, numbers: readonly number[]): Value {
  return tableOf(scores.graph, [channelOf(scores)], numbers);
}

/** 1 where the label is one of a region's classes, else 0: [batch, space..., class] f32. */
export function membership(scores: Value, labels: Value, regions: readonly (readonly number[])[]): Value {
  const values = castTo(labels, 'f32');
  const most = Math.max(...regions.map((classes) => classes.length));
  // No label is -1.
  return Array.from({ length: most }, (_, n) =>
    equal(
      values,
      table(
        scores,
        regions.map((classes) => classes[n] ?? -1),
      ),
    ),
  ).reduce((a, b) => add(a, b));
}

/** 1 where a voxel counts, else 0: [batch, space...] f32. */
export function counted(labels: Value, ignore: number): Value {
  const left = equal(labels, constant(labels.graph, ignore, [], labels.dtype));
  return sub(constant(labels.graph, 1, [], 'f32'), castTo(left, 'f32'));
}

/** Losses and Dice of regions: scalars, float64. */
export interface SetLosses {
  readonly bce: Value;
  /** Dice loss, from -1 to 0: of each case, then averaged; of all cases at once; means over the regions. */
  readonly diceCase: Value;
  readonly diceGlobal: Value;
  readonly tversky: Value;
  /** Soft Dice score of each region over all cases. */
  readonly softDice: readonly Value[];
}

/** All losses of scores [batch, space..., class] f32 against labels [batch, space...]. */
export function setLosses(scores: Value, labels: Value, settings: SetSettings): SetLosses {
  const { regions, weights, epsilon, alpha, beta, ignore } = settings;
  const { graph } = scores;
  const channel = channelOf(scores);
  if (channel.size !== regions.length)
    fail({
      where: 'loss',
      problem: 'scores of regions',
      expected: `${regions.length}, one for each`,
      found: `${channel.size}`,
    });
  const number = (value: number): Value => constant(graph, value, [], 'f64');
  const one = constant(graph, 1, [], 'f32');
  const space = labels.shape.map((dim) => dim.name).filter((name) => name !== BATCH);
  const voxels = countOver(labels, [BATCH, ...space]);
  const truth = membership(scores, labels, regions);
  const mask = ignore === undefined ? undefined : counted(labels, ignore);
  const kept = (x: Value): Value => (mask ? mul(x, mask) : x);

  const size = abs(scores);
  const softplus = add(
    mul(add(scores, size), constant(graph, 0.5, [], 'f32')),
    log(add(exp(neg(size)), one)),
  );
  const plain = sub(softplus, mul(truth, scores));
  const weighted = weights.every((weight) => weight === 1)
    ? plain
    : mul(
        plain,
        add(
          mul(
            truth,
            table(
              scores,
              weights.map((weight) => weight - 1),
            ),
          ),
          one,
        ),
      );
  const entropies = reduceSum(kept(weighted), [BATCH, ...space, channel.name], 'f64');
  const all = mask ? maximum(reduceSum(mask, [BATCH, ...space], 'f64'), number(1)) : number(voxels);
  const bce = div(entropies, mul(all, number(regions.length)));

  const p = sigmoid(scores);
  const sums = {
    pt: reduceSum(kept(mul(p, truth)), space, 'f64'),
    p: reduceSum(kept(p), space, 'f64'),
    t: reduceSum(truth, space, 'f64'),
  };
  const dice = (both: Value, either: Value): Value =>
    div(mul(both, number(-2)), add(either, number(epsilon)));
  const either = add(sums.p, sums.t);
  const global = dice(reduceSum(sums.pt, [BATCH]), reduceSum(either, [BATCH]));
  const mean = (values: Value): Value => {
    const over = values.shape.map((dim) => dim.name);
    return mul(reduceSum(values, over), number(1 / countOver(values, over)));
  };
  const wrong = add(mul(sub(sums.p, sums.pt), number(alpha)), mul(sub(sums.t, sums.pt), number(beta)));
  const tversky = div(mul(sums.pt, number(-1)), add(add(sums.pt, wrong), number(epsilon)));
  const softDice = regions.map((_, n) => {
    const unit = tableOf(
      graph,
      [channel],
      regions.map((_, other) => (other === n ? -1 : 0)),
      'f64',
    );
    return reduceSum(mul(global, unit), [channel.name]);
  });
  return {
    bce,
    diceCase: mean(dice(sums.pt, either)),
    diceGlobal: mean(global),
    tversky: mean(tversky),
    softDice,
  };
}

/** Voxels of every case and region that are found (a probability above 1/2), and true: masks [batch, space..., class] f32. */
export function regionMasks(
  scores: Value,
  labels: Value,
  regions: readonly (readonly number[])[],
  ignore?: number,
): { readonly both: Value; readonly predicted: Value; readonly truth: Value } {
  const found = foundRegions(scores);
  const truth = membership(scores, labels, regions);
  const predicted = ignore === undefined ? found : mul(found, counted(labels, ignore));
  return { both: mul(found, truth), predicted, truth };
}

/** 1 where the probability of a region is above 1/2, else 0: [batch, space..., class] f32. */
export function foundRegions(scores: Value): Value {
  const wide = castTo(scores, 'f32');
  return less(constant(scores.graph, 0, [], 'f32'), wide);
}
