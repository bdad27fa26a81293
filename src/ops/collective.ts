import { type Attrs, defineOp, fail, NO_IMAGES, type Op, type TensorType } from '../core/index.ts';
import { passLoops, wholeOf } from './common.ts';

// The two operations that cross devices. Partitioning inserts them; nothing else moves data between ranks.

const betweenRanks = (name: string, doc: string): Op<Attrs> =>
  defineOp<Attrs>({
    name,
    doc,
    form: 'kernel',
    role: 'compute',
    images: NO_IMAGES,
    weight: 'none',
    combine: 'sum',
    infer: (inputs: readonly TensorType[]) => [inputs[0]],
    grad: { notDifferentiable: 'differentiation comes before partitioning' },
    loops: (call) => passLoops(call.outputs[0].shape),
    reads: (call) => [wholeOf(call, 0)],
    writes: (_call, loop) => [loop],
    cost: () => ({ flops: 0 }),
    reference: (call) =>
      fail({
        where: call.where,
        problem: 'only the world of the ranks can run this',
        hint: 'Run the program through a session',
      }),
  });

/** Every rank names the box that it needs; all intersections with what others own are sent. */
export const exchange = betweenRanks(
  'exchange',
  'Fetches the part of a tensor that a rank reads and does not own.',
);

/** Sum (or maximum, minimum) of the ranks' partial results over mesh axes; every rank gets the whole. */
export const allReduce = betweenRanks('all_reduce', 'Combines partial results of the ranks along mesh axes.');
