import { type FusionRules, NO_FUSION } from './kernel.ts';

/** Everything that a device may fuse: what a device's own rules leave out is not wrong, but not gained. */
export const FULL_FUSION: FusionRules = {
  ...NO_FUSION,
  prologue: (op) => op !== 'assign',
  epilogue: () => true,
  views: (_view, { op, collective }) => op.form === 'kernel' && !collective && op.role !== 'assign',
  parts: (_view, { op }) => op.form === 'kernel',
  elementwise: ({ op }) => ['softmax', 'cross_entropy_grad', 'class_sums_grad'].includes(op.name),
  sums: ({ op }) => ['reduce_sum', 'argmax', 'cross_entropy', 'class_sums'].includes(op.name),
};
