import { fail, type Value } from '../../core/index.ts';
import { add, castTo, constant, inputOf, mul, select } from '../../ops/index.ts';
import type { Context, Parameter } from '../context.ts';

// A step of several batches: all but the last one gather their gradients in variables beside the weights, and the last one adds
// its own and takes the mean. Sums run in the order of the batches, in float32.
//
//   gather  NAME/gathered := first ? g : NAME/gathered + g          `first`: a graph input, 1 in the first batch, else 0
//   apply   g := (NAME/gathered + g) / batches

/** What a batch does in a step of several. */
export interface Accumulation {
  readonly batches: number;
  readonly part: 'gather' | 'apply';
}

/** Name of the sum of gradients of a weight. */
export const gatheredName = (name: string): string => `${name}/gathered`;

/** Whether a variable holds a sum of gradients: it means nothing between two steps. */
export const isGathered = (name: string): boolean => name.endsWith('/gathered');

const gatheredOf = (ctx: Context, { name, value }: Parameter): Value =>
  ctx.variableAt(gatheredName(name), value.shape, { kind: 'constant', value: 0 }, false);

const needed = (name: string, grad: Value | undefined): Value =>
  castTo(
    grad ?? fail({ where: 'gradients', problem: `the loss does not depend on parameter "${name}"` }),
    'f32',
  );

/** Asks for the sums of all gradients to grow, and ends the batch. */
export function gatherGradients(
  ctx: Context,
  weights: readonly Parameter[],
  grads: readonly (Value | undefined)[],
): void {
  const first = inputOf(ctx.graph, 'first', [], 'f32');
  ctx.graph.scope('gather', () => {
    for (const [i, weight] of weights.entries()) {
      const [sum, grad] = [gatheredOf(ctx, weight), needed(weight.name, grads[i])];
      ctx.update(sum, select(first, grad, add(sum, grad)));
    }
    ctx.assignUpdates();
  });
}

/** The means of the gradients of all batches, of which this one is the last. */
export function meanGradients(
  ctx: Context,
  weights: readonly Parameter[],
  grads: readonly (Value | undefined)[],
  batches: number,
): Value[] {
  return ctx.graph.scope('gather', () =>
    weights.map((weight, i) =>
      mul(add(gatheredOf(ctx, weight), needed(weight.name, grads[i])), constant(ctx.graph, 1 / batches)),
    ),
  );
}
