import { type Box, isEmpty } from '../core/index.ts';
import type { LocalNode } from '../plan/index.ts';
import { type Frames, frameOf, type Held } from './frames.ts';
import { ruleOf } from './ops/rules.ts';
import { Site } from './ops/site.ts';

const NEUTRAL = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY };

/** Whether an operation is printed; inputs and variables are arguments. */
export const isPrinted = ({ op }: LocalNode): boolean => ruleOf(op.name) !== undefined;

/**
 * Prints an operation for some ranks of the local program, those of the frames in their order, and gives its outputs: none where it is an
 * argument. `given`: its inputs, each of which holds at least what is read of it.
 */
export function printNode(
  frames: Frames,
  node: LocalNode,
  ranks: readonly number[],
  given: readonly Held[],
): readonly Held[] {
  const { writer } = frames;
  const { call, inputs, op, outputs } = node;
  const rule = ruleOf(op.name);
  if (rule === undefined) return [];
  writer.scope(node.name);
  const mine = <T>(all: readonly T[]): T[] => ranks.map((rank) => all[rank]);
  const loops = mine(node.loops);
  const writes = loops.map((loop) => op.writes(call, loop));
  const boxes = outputs.map((_, o) => writes.map((all) => all[o]));
  const places = outputs.map((value, o) => frameOf(boxes[o], mine(value.own)));
  const tensors = loops.every(isEmpty)
    ? outputs.map(({ dtype }, o) =>
        writer.constant(writer.elementOf(dtype), NEUTRAL[op.combine], places[o].sizes),
      )
    : rule(
        new Site({
          frames,
          call,
          inputs: given,
          loops,
          reads: inputs.map((_, i) => loops.map((loop) => readBy(node, loop, i))),
          outputs: places,
        }),
      );
  return outputs.map(({ shape, dtype }, o) => ({
    ...places[o],
    tensor: tensors[o],
    shape,
    dtype,
    boxes: boxes[o],
    outside: 'anything',
  }));
}

/** What a loop box reads of an input: nothing where it is empty. */
function readBy({ call, op }: LocalNode, loop: Box, input: number): Box {
  const box = op.reads(call, loop)[input];
  return isEmpty(loop) ? box.map(({ start }) => ({ start, end: start })) : box;
}
