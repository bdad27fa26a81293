import { type Box, isEmpty } from '../../core/index.ts';
import type { Kernel, LocalValue, StoredType } from '../../plan/index.ts';
import { plainFormat } from '../formats/index.ts';

/** Every piece of scratch begins at a line of the cache. */
export const scratchBytes = (bytes: number): number => Math.ceil(Math.max(bytes, 1) / 64) * 64;

/**
 * Bytes for what a launch copies to plain memory: a reshape all that it reads; einsum operands and weights that lie in blocks.
 * `storedOf`: how values lie.
 */
export function scratchOf(
  { anchor }: Kernel,
  rank: number,
  storedOf: (value: LocalValue) => StoredType,
): number {
  if (anchor === undefined || isEmpty(anchor.loops[rank])) return 0;
  const { op, call, loops, inputs, outputs } = anchor;
  const reads = op.reads(call, loops[rank]);
  const plain = (value: LocalValue, box: Box): number => scratchBytes(plainFormat(value).bytes(box));
  const unless = (value: LocalValue, box: Box): number =>
    storedOf(value).format.name === 'plain' ? 0 : plain(value, box);
  if (op.name === 'reshape') return plain(inputs[0], reads[0]);
  if (op.name === 'einsum') return inputs.reduce((sum, value, i) => sum + unless(value, reads[i]), 0);
  if (op.weight === 'none') return 0;
  return 'input' in op.weight
    ? unless(inputs[op.weight.input], reads[op.weight.input])
    : unless(outputs[op.weight.output], op.writes(call, loops[rank])[op.weight.output]);
}
