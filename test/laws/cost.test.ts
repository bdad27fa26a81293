import { describe, expect, it } from 'vitest';
import { Graph, shape } from '../../src/core/index.ts';
import { buildPrediction, buildTraining } from '../../src/nn/index.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { loopBoxes, splitsOf } from './blocks.ts';
import { SAMPLES } from './samples.ts';

// Floating-point operations, from which times and splits are predicted.

const names = Object.keys(OPS) as OpName[];

describe('the cost of an operation', () => {
  it.each(names)('%s: that of its parts adds up to that of the whole', (name) => {
    for (const sample of SAMPLES[name]) {
      const { op, call } = sample.build(new Graph()).node;
      const whole = op.loops(call).map(({ size }) => ({ start: 0, end: size }));
      const total = op.cost(call, whole).flops;
      for (const split of splitsOf(op.loops(call))) {
        const shares = loopBoxes(split.cuts).map((box) => op.cost(call, box).flops);
        expect(
          shares.reduce((sum, flops) => sum + flops, 0),
          `${sample.name}, ${split.name}`,
        ).toBeCloseTo(total, 6);
      }
    }
  });

  it('is that of the multiplications and additions of the paper\u2019s network', () => {
    const image = shape({ batch: 1, depth: 128, height: 128, width: 128, channel: 1 });
    const network = { base: 16, levels: 4, classes: 3 };
    const flops = ({ nodes }: Graph): number =>
      nodes.reduce((sum, { op, call }) => {
        if (op.weight === 'none') return sum;
        const whole = op.loops(call).map(({ size }) => ({ start: 0, end: size }));
        return sum + op.cost(call, whole).flops;
      }, 0);
    // Channels at each of two convolutions a level, down and up, and voxels: worked out from the widths 16 to 128.
    const forward = contractions(128, 16, 4);
    expect(flops(buildPrediction({ image, network }).graph)).toBe(forward);
    expect(forward / 1e9).toBeCloseTo(221, -1);
    // Every contraction once more for its input (that of the image goes when the graph is partitioned) and for its weight.
    expect(flops(buildTraining({ image, network }).graph)).toBe(3 * forward);
  });
});

/** Operations of the contractions of a U-Net: two 3x3x3 convolutions a level and side, 2x2x2 up, 1x1x1 to three classes. */
function contractions(size: number, base: number, levels: number): number {
  const conv = (voxels: number, taps: number, from: number, to: number) => 2 * voxels * taps * from * to;
  let all = 0;
  for (let level = 0; level < levels; level++) {
    const [voxels, width] = [(size / 2 ** level) ** 3, base * 2 ** level];
    all += conv(voxels, 27, level === 0 ? 1 : width / 2, width) + conv(voxels, 27, width, width);
    if (level === levels - 1) continue;
    // Each voxel of the level is reached by one tap of the transposed convolution.
    all +=
      conv(voxels, 1, 2 * width, width) + conv(voxels, 27, 2 * width, width) + conv(voxels, 27, width, width);
  }
  return all + conv(size ** 3, 1, base, 3);
}
