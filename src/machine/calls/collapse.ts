import type { LocalNode } from '../../plan/index.ts';
import { defaultSlots } from '../formats/index.ts';
import { attrsOf } from '../rows/index.ts';
import type { ReduceCall } from './call.ts';
import type { CallRule } from './rule.ts';

// Reductions and einsum over stored tensors.

/** A reduction that rows do not do: other than a sum, or keeping more than the first and last dimension. */
function reduction(how: ReduceCall['how']): CallRule {
  return {
    build(site) {
      const [from] = site.anchor.inputs;
      const { shape } = site.anchor.call.inputs[0];
      const slots = defaultSlots(shape);
      const region = { shape, box: site.reads(0), slots };
      return {
        op: 'reduce',
        how,
        from: { value: from, slots },
        region,
        into: { value: site.anchor.outputs[0], slots },
      };
    },
  };
}

/** Most loops of an einsum. */
export const MOST_LOOPS = 10;

const einsum: CallRule = {
  refuses: (node: LocalNode) =>
    node.op.loops(node.call).length > MOST_LOOPS ? `more than ${MOST_LOOPS} dimensions in all` : undefined,
  build(site) {
    const { anchor } = site;
    return {
      op: 'einsum',
      loops: anchor.op.loops(anchor.call).map(({ dim }) => dim),
      loop: site.loop,
      outer: attrsOf<'einsum'>(anchor).output.length,
      inputs: anchor.inputs.map((value, i) => ({ value, box: site.reads(i) })),
      into: anchor.outputs[0],
    };
  },
};

export const collapseCalls = {
  reduce_sum: reduction('sum'),
  reduce_max: reduction('max'),
  reduce_min: reduction('min'),
  einsum,
};
