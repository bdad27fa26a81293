import type { LocalNode, LocalValue } from '../../plan/index.ts';
import { attrsOf } from './attrs.ts';
import type { CpuKernel } from './cpu-kernel.ts';
import type { Launch } from './launch.ts';
import type { Address } from './library.ts';
import { defaultSlots, type Slots } from './storage.ts';

// Softmax, argmax and the losses over classes. The classes are the last dimension of the logits.

const lastOnly = (dim: (node: LocalNode) => string) => (node: LocalNode) => {
  const { shape } = node.call.inputs[0];
  if (shape.length > 5) return 'more than five dimensions';
  return shape[shape.length - 1].name === dim(node) ? undefined : `"${dim(node)}" is not the last dimension`;
};

const softmax: CpuKernel = {
  prologue: [0],
  epilogue: true,
  refuses: lastOnly((node) => attrsOf<'softmax'>(node).dim),
  prepare(launch) {
    const { shape } = launch.anchor.outputs[0];
    const slots = defaultSlots(shape);
    const list = [launch.source(0, slots), launch.box(shape, launch.writes(), slots), launch.epilogue(slots)];
    return () => launch.library.call('hm_softmax', ...list);
  },
};

const argmax: CpuKernel = {
  prologue: [0],
  refuses: lastOnly((node) => attrsOf<'argmax'>(node).dim),
  prepare(launch) {
    const { shape } = launch.anchor.call.inputs[0];
    const slots = defaultSlots(shape);
    const list = [
      launch.source(0, slots),
      launch.box(shape, launch.reads(0), slots),
      launch.view(launch.output(), slots),
    ];
    return () => launch.library.call('hm_argmax', ...list);
  },
};

type LossAttrs = { readonly classes: string; readonly keep: readonly string[] };

/** Losses keep nothing or the dimension in slot n. */
const refusesLoss = (node: LocalNode): string | undefined => {
  const { classes, keep } = node.call.attrs as unknown as LossAttrs;
  const notLast = lastOnly(() => classes)(node);
  if (notLast !== undefined) return notLast;
  const { shape } = node.call.inputs[0];
  const slots = defaultSlots(shape);
  if (keep.length > 1 || keep.some((dim) => slots.get(dim) !== 0))
    return 'sums that keep more than the first dimension';
  return undefined;
};

/** Arguments that all four share. */
function common(launch: Launch): {
  slots: Slots;
  logits: Address;
  labels: Address;
  box: Address;
  perCase: number;
} {
  const { shape } = launch.anchor.call.inputs[0];
  const slots = defaultSlots(shape);
  return {
    slots,
    logits: launch.source(0, slots),
    labels: launch.view(launch.input(1), slots),
    box: launch.box(shape, launch.reads(0), slots),
    perCase: (launch.anchor.call.attrs as unknown as LossAttrs).keep.length,
  };
}

const sums = (launch: Launch, slots: Slots, values: readonly LocalValue[]): Address[] =>
  values.map((value) => launch.view(launch.tensorOf(value), slots));

const crossEntropy: CpuKernel = {
  prologue: [0],
  refuses: refusesLoss,
  prepare(launch) {
    const { slots, logits, labels, box, perCase } = common(launch);
    const weights = launch.args.doubles(attrsOf<'cross_entropy'>(launch.anchor).weights);
    const [sum] = sums(launch, slots, launch.anchor.outputs);
    return () => launch.library.call('hm_cross_entropy', logits, labels, weights, box, sum, perCase);
  },
};

const crossEntropyGrad: CpuKernel = {
  prologue: [0],
  epilogue: true,
  refuses: refusesLoss,
  prepare(launch) {
    const { slots, logits, labels, box, perCase } = common(launch);
    const weights = launch.args.doubles(attrsOf<'cross_entropy'>(launch.anchor).weights);
    const [g] = sums(launch, slots, [launch.anchor.inputs[2]]);
    const epilogue = launch.epilogue(slots);
    return () =>
      launch.library.call('hm_cross_entropy_grad', logits, labels, weights, g, perCase, box, epilogue);
  },
};

const classSums: CpuKernel = {
  prologue: [0],
  refuses: refusesLoss,
  prepare(launch) {
    const { slots, logits, labels, box } = common(launch);
    const { cls } = attrsOf<'class_sums'>(launch.anchor);
    const list = sums(launch, slots, launch.anchor.outputs);
    return () => launch.library.call('hm_class_sums', logits, labels, cls, box, ...list);
  },
};

const classSumsGrad: CpuKernel = {
  prologue: [0],
  epilogue: true,
  refuses: refusesLoss,
  prepare(launch) {
    const { slots, logits, labels, box } = common(launch);
    const { cls } = attrsOf<'class_sums'>(launch.anchor);
    const list = sums(launch, slots, launch.anchor.inputs.slice(2));
    const epilogue = launch.epilogue(slots);
    return () => launch.library.call('hm_class_sums_grad', logits, labels, cls, ...list, box, epilogue);
  },
};

export const classKernels = {
  softmax,
  argmax,
  cross_entropy: crossEntropy,
  cross_entropy_grad: crossEntropyGrad,
  class_sums: classSums,
  class_sums_grad: classSumsGrad,
};
