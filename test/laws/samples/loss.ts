import { shape, showShape } from '../../../src/core/index.ts';
import { OPS } from '../../../src/ops/index.ts';
import { labelTensor, type Sample, sample, tensor } from '../sample.ts';

// Softmax, argmax and the sums that losses are made of.

const space = { batch: 2, depth: 7, height: 2 };
const logits = tensor('x', { ...space, class: 3 }, -3, 3);
const truth = labelTensor('labels', space, 3);
const flat = {
  logits: tensor('x', { width: 7, class: 2 }, -2, 2),
  truth: labelTensor('labels', { width: 7 }, 2, 'f32'),
};
const weights = [1, 8, 16];

/** Shapes of the sums that are tried, by the dimensions that they keep. */
const KEEPS = [
  { name: 'over all', keep: [], sums: {} },
  { name: 'per case', keep: ['batch'], sums: { batch: 2 } },
  { name: 'per case and slice', keep: ['depth', 'batch'], sums: { batch: 2, depth: 7 } },
] as const;

const text = (sizes: Readonly<Record<string, number>>): string => showShape(shape(sizes));
const SMOOTH = { differentiable: ['x'] } as const;
const ROUGH = { differentiable: [] } as const;

const along = (name: string, dim: string) => ({ name, attrs: { dim }, tensors: [logits] });

export const lossSamples = {
  softmax: [
    sample({
      ...along('over classes', 'class'),
      op: OPS.softmax,
      gives: '[batch=2 depth=7 height=2 class=3]',
    }),
    sample({ ...along('over space', 'depth'), op: OPS.softmax, gives: '[batch=2 depth=7 height=2 class=3]' }),
    sample({
      name: 'far from zero',
      op: OPS.softmax,
      attrs: { dim: 'class' },
      tensors: [tensor('x', { width: 7, class: 3 }, 1000, 1003)],
      gives: '[width=7 class=3]',
    }),
  ],
  argmax: [
    sample({
      ...along('over classes', 'class'),
      op: OPS.argmax,
      gives: '[batch=2 depth=7 height=2]',
      ...ROUGH,
    }),
    sample({
      ...along('over an outer dimension', 'batch'),
      op: OPS.argmax,
      gives: '[depth=7 height=2 class=3]',
      ...ROUGH,
    }),
    sample({
      name: 'ties',
      op: OPS.argmax,
      attrs: { dim: 'class' },
      tensors: [labelTensor('x', { width: 7, class: 4 }, 2, 'f32')],
      gives: '[width=7]',
      ...ROUGH,
    }),
  ],
  cross_entropy: [
    ...KEEPS.map(({ name, keep, sums }) =>
      sample({
        name,
        op: OPS.cross_entropy,
        attrs: { classes: 'class', weights, keep },
        tensors: [logits, truth],
        gives: text(sums),
        ...SMOOTH,
      }),
    ),
    sample({
      name: 'two classes, no batch, float labels',
      op: OPS.cross_entropy,
      attrs: { classes: 'class', weights: [1, 0.5], keep: [] },
      tensors: [flat.logits, flat.truth],
      gives: '[]',
      ...SMOOTH,
    }),
  ],
  cross_entropy_grad: KEEPS.map(({ name, keep, sums }) =>
    sample({
      name,
      op: OPS.cross_entropy_grad,
      attrs: { classes: 'class', weights, keep },
      tensors: [logits, truth, { ...tensor('g', sums), dtype: 'f64' }],
      gives: '[batch=2 depth=7 height=2 class=3]',
      ...ROUGH,
    }),
  ),
  class_sums: KEEPS.map(({ name, keep, sums }) =>
    sample({
      name,
      op: OPS.class_sums,
      attrs: { classes: 'class', cls: 2, keep },
      tensors: [logits, truth],
      gives: [text(sums), text(sums), text(sums)],
      ...SMOOTH,
    }),
  ),
  class_sums_grad: KEEPS.map(({ name, keep, sums }) =>
    sample({
      name,
      op: OPS.class_sums_grad,
      attrs: { classes: 'class', cls: 1, keep },
      tensors: [
        logits,
        truth,
        { ...tensor('g', sums), dtype: 'f64' },
        { ...tensor('gp', sums), dtype: 'f64' },
      ],
      gives: '[batch=2 depth=7 height=2 class=3]',
      ...ROUGH,
    }),
  ),
} satisfies Record<string, readonly Sample[]>;
