import { BYTES, length, rowMajorStrides } from '../../core/index.ts';
import type { LocalNode } from '../../plan/index.ts';
import { attrsOf } from './attrs.ts';
import type { CpuKernel } from './cpu-kernel.ts';
import type { Launch } from './launch.ts';
import { type CpuTensor, defaultSlots } from './storage.ts';

// Reductions and einsum over stored tensors.

/** A reduction that row programs do not do: other than a sum, or keeping more than the first and last dimension. */
function reduction(kind: 0 | 1 | 2): CpuKernel {
  return {
    prepare(launch: Launch) {
      const slots = defaultSlots(launch.anchor.call.inputs[0].shape);
      const present = [0, 0, 0, 0, 0];
      for (const dim of launch.anchor.outputs[0].shape) present[slots.get(dim.name)!] = 1;
      const source = launch.view(launch.input(0), slots);
      const box = launch.box(launch.anchor.call.inputs[0].shape, launch.reads(0), slots);
      const into = launch.view(launch.output(), slots);
      const kept = launch.args.ints(present);
      return () => launch.library.call('hm_reduce', kind, source, box, into, kept);
    },
  };
}

/** Most loops that hm_einsum takes. */
const MOST_LOOPS = 10;

const einsum: CpuKernel = {
  refuses: (node: LocalNode) =>
    node.op.loops(node.call).length > MOST_LOOPS ? `more than ${MOST_LOOPS} dimensions in all` : undefined,
  prepare(launch) {
    const { anchor } = launch;
    const loops = anchor.op.loops(anchor.call);
    const outer = attrsOf<'einsum'>(anchor).output.length;
    const operand = (tensor: CpuTensor) => {
      const stride = new Array<number>(10).fill(0);
      let data: number = tensor.address;
      let blockedLoop = -1;
      tensor.shape.forEach((dim, i) => {
        const at = loops.findIndex((loop) => loop.dim === dim.name);
        const skip = launch.loop[at].start - tensor.box[i].start;
        if (i === tensor.shape.length - 1 && tensor.block > 1) {
          blockedLoop = at;
          stride[at] = skip;
        } else {
          stride[at] = tensor.strides[i];
          data += skip * tensor.strides[i] * BYTES[tensor.dtype];
        }
      });
      const blockStride = tensor.strides[tensor.strides.length - 1] ?? 0;
      return { data, dtype: tensor.dtype, blockedLoop, block: tensor.block, blockStride, stride };
    };
    const inputs = anchor.inputs.map((value) => launch.tensorOf(value));
    const before = inputs.map((tensor, i) => {
      const plain = launch.plain(tensor, launch.reads(i), defaultSlots(tensor.shape));
      const type = { ...tensor, address: plain.view.data, box: launch.reads(i), block: 1 };
      return {
        run: plain.before,
        tensor: tensor.block === 1 ? tensor : { ...type, strides: rowMajorStrides(type.box.map(length)) },
      };
    });
    const list = launch.args.einsumOperands(before.map((b) => asEinsum(operand(b.tensor))));
    const out = launch.args.einsumOperands([asEinsum(operand(launch.output()))]);
    const extent = launch.args.longs(launch.loop.map((r) => r.end - r.start));
    return () => {
      for (const { run } of before) run();
      launch.library.call('hm_einsum', loops.length, extent, outer, list, before.length, out);
    };
  },
};

type EinsumOperand = Parameters<Launch['args']['einsumOperands']>[0][number];
const asEinsum = (operand: Omit<EinsumOperand, 'data'> & { data: number }): EinsumOperand =>
  operand as EinsumOperand;

export const collapseKernels = {
  reduce_sum: reduction(0),
  reduce_max: reduction(1),
  reduce_min: reduction(2),
  einsum,
};
