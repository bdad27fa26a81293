import type { LocalNode } from '../../plan/index.ts';
import { defaultSlots, SLOT_N, type Slots } from '../formats/index.ts';
import { attrsOf } from '../rows/index.ts';
import type { Source, Stored } from './call.ts';
import type { CallRule } from './rule.ts';
import type { Site } from './site.ts';

// Softmax, argmax and the losses over classes. The classes are the last dimension of the logits.

const lastOnly = (dim: (node: LocalNode) => string) => (node: LocalNode) => {
  const { shape } = node.call.inputs[0];
  if (shape.length > 5) return 'more than five dimensions';
  return shape[shape.length - 1].name === dim(node) ? undefined : `"${dim(node)}" is not the last dimension`;
};

const softmax: CallRule = {
  prologue: [0],
  epilogue: true,
  refuses: lastOnly((node) => attrsOf<'softmax'>(node).dim),
  build(site) {
    const slots = defaultSlots(site.anchor.outputs[0].shape);
    return { op: 'softmax', x: site.source(0, slots), out: site.out(slots), epilogue: site.epilogue(slots) };
  },
};

const argmax: CallRule = {
  prologue: [0],
  refuses: lastOnly((node) => attrsOf<'argmax'>(node).dim),
  build(site) {
    const slots = defaultSlots(site.anchor.call.inputs[0].shape);
    return { op: 'argmax', x: site.source(0, slots), into: { value: site.anchor.outputs[0], slots } };
  },
};

type LossAttrs = { readonly classes: string; readonly keep: readonly string[] };

/** Losses keep nothing or the dimension in slot n. */
const refuses = (node: LocalNode): string | undefined => {
  const { classes, keep } = node.call.attrs as unknown as LossAttrs;
  const notLast = lastOnly(() => classes)(node);
  if (notLast !== undefined) return notLast;
  const slots = defaultSlots(node.call.inputs[0].shape);
  if (keep.length > 1 || keep.some((dim) => slots.get(dim) !== SLOT_N))
    return 'sums that keep more than the first dimension';
  return undefined;
};

/** What all four share. */
function common(site: Site): { slots: Slots; logits: Source; labels: Stored; perCase: boolean } {
  const slots = defaultSlots(site.anchor.call.inputs[0].shape);
  return {
    slots,
    logits: site.source(0, slots),
    labels: { value: site.anchor.inputs[1], slots },
    perCase: (site.anchor.call.attrs as unknown as LossAttrs).keep.length > 0,
  };
}

const crossEntropy: CallRule = {
  prologue: [0],
  refuses,
  build(site) {
    const { slots, ...rest } = common(site);
    const { weights } = attrsOf<'cross_entropy'>(site.anchor);
    return { op: 'cross_entropy', weights, sum: { value: site.anchor.outputs[0], slots }, ...rest };
  },
};

const crossEntropyGrad: CallRule = {
  prologue: [0],
  epilogue: true,
  refuses,
  build(site) {
    const { slots, ...rest } = common(site);
    const { weights } = attrsOf<'cross_entropy_grad'>(site.anchor);
    const g = { value: site.anchor.inputs[2], slots };
    return { op: 'cross_entropy_grad', weights, g, epilogue: site.epilogue(slots), ...rest };
  },
};

const classSums: CallRule = {
  prologue: [0],
  refuses,
  build(site) {
    const { slots, logits, labels } = common(site);
    const { cls } = attrsOf<'class_sums'>(site.anchor);
    const sums = site.anchor.outputs.map((value) => ({ value, slots }));
    return { op: 'class_sums', logits, labels, cls, sums };
  },
};

const classSumsGrad: CallRule = {
  prologue: [0],
  epilogue: true,
  refuses,
  build(site) {
    const { slots, logits, labels } = common(site);
    const { cls } = attrsOf<'class_sums_grad'>(site.anchor);
    const gradients = site.anchor.inputs.slice(2).map((value) => ({ value, slots }));
    return { op: 'class_sums_grad', logits, labels, cls, gradients, epilogue: site.epilogue(slots) };
  },
};

export const classCalls = {
  softmax,
  argmax,
  cross_entropy: crossEntropy,
  cross_entropy_grad: crossEntropyGrad,
  class_sums: classSums,
  class_sums_grad: classSumsGrad,
};
