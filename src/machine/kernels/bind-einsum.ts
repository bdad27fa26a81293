import { type Box, BYTES } from '../../core/index.ts';
import type { EinsumCall } from '../calls/index.ts';
import { MOST_LOOPS } from '../calls/index.ts';
import type { Binder } from './binder.ts';
import { after } from './library.ts';
import type { KernelTensor } from './storage.ts';
import type { EinsumOperand } from './structs.ts';

/** Operands are addressed by element offsets a loop; one in channel blocks, or in part, is copied to plain memory first. */
export function bindEinsum({ loops, loop, outer, inputs, into }: EinsumCall, to: Binder): () => void {
  const copies: (() => void)[] = [];
  const operands = inputs.map(({ value, box }) => {
    const tensor = to.tensorOf(value);
    if (tensor.block === 1) return operandOf(tensor, loops, loop);
    const plain = to.scratch(tensor, box);
    copies.push(to.copy(plain, tensor, box));
    return operandOf(plain, loops, loop);
  });
  const list = [
    loops.length,
    to.args.longs(loop.map((r) => r.end - r.start)),
    outer,
    to.args.einsumOperands(operands),
    operands.length,
    to.args.einsumOperands([operandOf(to.tensorOf(into), loops, loop)]),
  ];
  return () => {
    for (const copy of copies) copy();
    to.library.call('hm_einsum', ...list);
  };
}

/** hm_einsum_operand of a tensor: its data at the first position of the loops. */
function operandOf(tensor: KernelTensor, loops: readonly string[], loop: Box): EinsumOperand {
  const stride = new Array<number>(MOST_LOOPS).fill(0);
  let data = tensor.address;
  let blockedLoop = -1;
  tensor.shape.forEach((dim, i) => {
    const at = loops.indexOf(dim.name);
    const skip = loop[at].start - tensor.box[i].start;
    if (i === tensor.shape.length - 1 && tensor.block > 1) {
      blockedLoop = at;
      stride[at] = skip;
    } else {
      stride[at] = tensor.strides[i];
      data = after(data, skip * tensor.strides[i] * BYTES[tensor.dtype]);
    }
  });
  const blockStride = tensor.strides[tensor.strides.length - 1] ?? 0;
  return { data, dtype: tensor.dtype, blockedLoop, block: tensor.block, blockStride, stride };
}
