import { isEmpty, range, sameRange } from '../../core/index.ts';
import type { FusionRules, LocalNode } from '../../plan/index.ts';
import { LANES, MOST_DIMS } from '../formats/index.ts';
import { attrsOf, evaluatesLanes, leavesLanes } from '../rows/index.ts';
import { isRowOp, ruleOf } from './calls.ts';

// What can be fused, and what can be said, by devices that run calls.

/** Sums keep nothing, the first or the last dimension of what they run over when they are fused. */
function fusedSum(node: LocalNode): boolean {
  if (node.op.name !== 'reduce_sum') return false;
  const from = node.call.inputs[0].shape;
  const kept = node.call.outputs[0].shape;
  if (from.length > MOST_DIMS) return false;
  return kept.every((dim) => {
    const at = from.findIndex((d) => d.name === dim.name);
    return at === from.length - 1 || (at === 0 && from.length >= 3);
  });
}

/**
 * Convolutions load a concat of channels from its parts: whole channels, and every part but the last in whole blocks.
 */
function severalSources(view: LocalNode, consumer: LocalNode, input: number): boolean {
  if (view.op.name !== 'concat' || !ruleOf(consumer.op.name)?.sources || input !== 0) return false;
  const [{ shape }] = view.outputs;
  const channel = shape[shape.length - 1];
  if (attrsOf<'concat'>(view).dim !== channel.name || shape.length < 3) return false;
  const whole = consumer.loops.every((loop) => {
    const read = consumer.op.reads(consumer.call, loop)[input][shape.length - 1];
    return read.end - read.start === channel.size || read.end === read.start;
  });
  const blocks = view.inputs.slice(0, -1).every((part) => part.shape[shape.length - 1].size % LANES === 0);
  return whole && blocks;
}

/**
 * An epilogue stores a slice of channels in whole blocks of them: it begins at a block, ends at one or with the channels, and
 * takes all of every other dimension, on every rank.
 */
function partOfChannels(view: LocalNode, producer: LocalNode): boolean {
  if (view.op.name !== 'slice' || !ruleOf(producer.op.name)?.epilogue) return false;
  const [{ shape, own }] = producer.outputs;
  const last = shape.length - 1;
  const { ranges } = attrsOf<'slice'>(view);
  if (shape.length < 3 || Object.keys(ranges).some((name) => name !== shape[last].name)) return false;
  const { size } = shape[last];
  const [start, end] = ranges[shape[last].name] ?? [0, size];
  if (start % LANES !== 0 || (end % LANES !== 0 && end !== size)) return false;
  return view.loops.every((loop, rank) => {
    const read = view.op.reads(view.call, loop)[0];
    if (isEmpty(own[rank])) return isEmpty(loop);
    return own[rank].every((r, i) => sameRange(r, i === last ? range(0, size) : read[i]));
  });
}

/** What calls can take into their loads and stores. */
export const CALL_FUSION: FusionRules = {
  prologue: (op, input) => ruleOf(op)?.prologue?.includes(input) ?? false,
  epilogue: (op) => ruleOf(op)?.epilogue ?? false,
  views: severalSources,
  parts: partOfChannels,
  // What rows take: 64 registers, 64 operands.
  most: { loads: 4, nodes: 48 },
  // There is little float64, and kernels compute in float32.
  epilogueType: (dtype) => dtype !== 'f64',
  elementwise: evaluatesLanes,
  sums: (node) => fusedSum(node) || leavesLanes(node),
  stores: () => false,
};

/** Why an operation cannot be said as a call, if so. */
export function refusesCall(node: LocalNode): string | undefined {
  const { name } = node.op;
  if (isRowOp(name)) {
    const tooMany = [...node.call.inputs, ...node.call.outputs].some(({ shape }) => shape.length > MOST_DIMS);
    return tooMany ? 'more than five dimensions' : undefined;
  }
  const rule = ruleOf(name);
  if (!rule) return 'no kernel';
  if (node.call.inputs.some(({ shape }) => shape.length > MOST_DIMS) && name !== 'einsum')
    return 'more than five dimensions';
  return rule.refuses?.(node);
}
