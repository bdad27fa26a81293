import { expect, it } from 'vitest';
import { plannedKernels } from './planned.ts';

// Which kernels the layers of a U-Net of 16 channels take, forward and backward: a layer that falls to a general kernel is seen here.

async function chosen(storage: 'f32' | 'bf16'): Promise<string[]> {
  const sources = await plannedKernels(storage);
  const titles = sources.flatMap(({ text }) => text.match(/^\/\/ (conv.*)\n/)?.[1] ?? []);
  return [...new Set(titles)].sort();
}

it('takes tensor cores for bfloat16 images, but where little is multiplied', async () => {
  expect(await chosen('bf16')).toEqual([
    'conv 1x1x1, general',
    'conv 2x2x2 by 2x2x2, tensor cores',
    'conv 3x3x3, rolling, tensor cores',
    'conv 3x3x3, tensor cores',
    'conv_transpose 1x1x1, general',
    'conv_transpose 2x2x2 by 2x2x2, tensor cores',
    'conv_transpose 3x3x3, rolling, tensor cores',
    'conv_weight_grad 1x1x1, tensor cores',
    'conv_weight_grad 2x2x2 by 2x2x2, tensor cores',
    'conv_weight_grad 3x3x3, tensor cores',
  ]);
});

it('takes tiles in shared memory for the 3x3x3 convolutions of float32 images', async () => {
  expect(await chosen('f32')).toEqual([
    'conv 1x1x1, general',
    'conv 2x2x2 by 2x2x2, general',
    'conv 3x3x3, tiles',
    'conv_transpose 1x1x1, general',
    'conv_transpose 2x2x2 by 2x2x2, general',
    'conv_transpose 3x3x3, tiles',
    'conv_weight_grad 1x1x1, general',
    'conv_weight_grad 2x2x2 by 2x2x2, general',
    'conv_weight_grad 3x3x3, general',
  ]);
});

it('asks for no more shared memory than a block has: those of consumer cards have 99 KiB', async () => {
  const asked = async (shared?: number): Promise<number> => {
    const sources = await plannedKernels('bf16', 1, shared);
    return Math.max(...sources.map((source) => source.shared ?? 0));
  };
  const small = 99 << 10;
  expect(await asked()).toBeGreaterThan(small);
  expect(await asked(small)).toBeGreaterThan(0);
  expect(await asked(small)).toBeLessThanOrEqual(small);
});
