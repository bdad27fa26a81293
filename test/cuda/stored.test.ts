import { expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { cpuTarget } from '../../src/machine/cpu/index.ts';
import { cudaTarget } from '../../src/machine/cuda/index.ts';
import { type Kernel, makePlan, type Target } from '../../src/plan/index.ts';
import { resolveConfig } from '../../src/train/config/config.ts';
import { trainingGraph } from '../../src/train/config/model.ts';

// The gradient of a layer's output is stored once for both products that take it, where they would work it out each by itself.

/** Gradients of weights in a step of a U-Net of two levels, and those of them that read a tensor which a later convolution reads, too. */
function weightGradients(target: Target, precision: 'f32' | 'bf16') {
  const given = {
    data: 'x',
    out: 'y',
    base: 16,
    levels: 2,
    augmentation: 'none',
    batch: 1,
    precision,
  } as const;
  const { graph } = trainingGraph(resolveConfig(given), 3, [32, 32, 32]);
  const { steps } = makePlan(graph, mesh({}), {}, target);
  const kernels = steps.filter((step): step is Kernel => step.kind === 'kernel');
  const all = kernels.filter(({ anchor }) => anchor?.op.name === 'conv_weight_grad');
  const shared = all.filter(({ anchor, reads }) =>
    kernels
      .slice(kernels.findIndex((kernel) => kernel.anchor === anchor) + 1)
      .some(
        (other) =>
          other.anchor?.op.name.startsWith('conv') &&
          other.anchor.inputs.some((value) => reads.includes(value) && anchor!.inputs.includes(value)),
      ),
  );
  return { all: all.length, shared: shared.length };
}

it('is stored for products of bfloat16 numbers of whole blocks of channels', () => {
  // Neither the first layer, which no gradient leaves, nor the last one, of three classes.
  expect(weightGradients(cudaTarget(), 'bf16')).toEqual({ all: 8, shared: 6 });
});

it('is evaluated on load elsewhere', () => {
  // But for that of the transposed convolution, which is stored as it comes.
  expect(weightGradients(cudaTarget(), 'f32').shared).toBe(1);
  expect(weightGradients(cpuTarget(), 'bf16').shared).toBe(1);
});
