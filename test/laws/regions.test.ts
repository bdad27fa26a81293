import { describe, expect, it } from 'vitest';
import { type Box, evenCuts, forEachIndex, range, shape, uniform } from '../../src/core/index.ts';
import { cpuDevice, type Device, referenceDevice } from '../../src/machine/index.ts';
import { buildPrediction, type UNetConfig } from '../../src/nn/index.ts';
import { makePlan } from '../../src/plan/index.ts';
import { Session } from '../../src/run/index.ts';

// Boxes of a network's outputs, computed each by a program of its own: the same bits as the whole volume in one pass.

type Size = readonly [depth: number, height: number, width: number];
type Cuts = Size;

interface Bed {
  readonly device: Device;
  readonly size: Size;
  readonly network: Partial<UNetConfig>;
  readonly storage?: 'f32' | 'bf16';
}

const build = ({ size: [depth, height, width], network, storage }: Bed) =>
  buildPrediction({
    image: shape({ batch: 1, depth, height, width, channel: 1 }),
    network: { classes: 3, ...network },
    storage,
    seed: 3,
    probabilities: true,
  }).graph;

/** The boxes (depth, height, width) of a volume that is cut into so many blocks along each axis. */
function blocksOf(size: Size, cuts: Cuts): Box[] {
  const edges = size.map((n, axis) => evenCuts(n, cuts[axis]));
  const blocks: Box[] = [];
  forEachIndex(
    cuts.map((n) => range(0, n)),
    (at) => {
      blocks.push(at.map((i, axis) => range(edges[axis][i], edges[axis][i + 1])));
    },
  );
  return blocks;
}

/** Labels and probabilities of every voxel: the network's, or put together from blocks. */
async function segment(
  bed: Bed,
  cuts?: Cuts,
): Promise<{ labels: Float64Array; probabilities: Float64Array; read: number }> {
  const { device, size } = bed;
  const session = new Session({ device, seed: 7 });
  const voxels = size[0] * size[1] * size[2];
  const found = { labels: new Float64Array(voxels), probabilities: new Float64Array(3 * voxels), read: 0 };
  const at = ([k, j, i]: readonly number[]): number => (k * size[1] + j) * size[2] + i;
  const image = (box: Box): Float32Array => {
    const numbers: number[] = [];
    forEachIndex(box, ([, k, j, i]) => numbers.push(uniform(1, 2, 3, at([k, j, i]))));
    found.read += numbers.length;
    return Float32Array.from(numbers);
  };
  for (const block of blocksOf(size, cuts ?? [1, 1, 1])) {
    const one = [range(0, 1), ...block];
    const region = cuts && { labels: one, probabilities: [...one, range(0, 3)] };
    const program = await session.load(build(bed), { region });
    for (const [name, parts] of Object.entries(await program.runParts({ image })))
      for (const { box, data } of parts) {
        let n = 0;
        forEachIndex(box, ([, k, j, i, cls]) => {
          if (name === 'labels') found.labels[at([k, j, i])] = data[n++];
          else found.probabilities[3 * at([k, j, i]) + cls] = data[n++];
        });
      }
    program.free();
  }
  return found;
}

const cpu = cpuDevice();
const beds: readonly (readonly [string, Bed, Cuts])[] = [
  // Winograd's filtering at the first level: blocks alone would be too small for it.
  ['16 channels', { device: cpu, size: [22, 19, 27], network: { base: 16, levels: 3 } }, [3, 2, 2]],
  [
    '16 channels in bfloat16',
    { device: cpu, size: [22, 19, 27], network: { base: 16, levels: 3 }, storage: 'bf16' },
    [2, 1, 3],
  ],
  ['four levels', { device: cpu, size: [29, 18, 21], network: { base: 2, levels: 4 } }, [4, 3, 2]],
  [
    'an even kernel and three convolutions',
    { device: cpu, size: [13, 12, 11], network: { base: 3, levels: 2, kernel: 4, convolutions: 3 } },
    [5, 1, 2],
  ],
  [
    'a flat kernel',
    { device: cpu, size: [6, 21, 20], network: { base: 4, kernel: { depth: 1, height: 3, width: 3 } } },
    [6, 2, 2],
  ],
  [
    'the reference device',
    { device: referenceDevice(), size: [7, 6, 9], network: { base: 2, levels: 3 } },
    [2, 2, 2],
  ],
];

describe('a network in blocks', () => {
  it.each(beds)('gives the bits of the whole volume: %s', async (_name, bed, cuts) => {
    const whole = await segment(bed);
    const blocks = await segment(bed, cuts);
    expect(new Set(whole.labels).size).toBeGreaterThan(1);
    expect(blocks.labels).toEqual(whole.labels);
    expect(blocks.probabilities).toEqual(whole.probabilities);
  });

  it('computes blocks of one voxel, at the edges and inside', async () => {
    const bed: Bed = { device: cpu, size: [5, 4, 6], network: { base: 2, levels: 3 } };
    const whole = await segment(bed);
    const blocks = await segment(bed, [5, 4, 6]);
    expect(blocks.labels).toEqual(whole.labels);
    expect(blocks.probabilities).toEqual(whole.probabilities);
  });

  it('reads what its windows reach and no more', () => {
    // Two convolutions of 3 at two levels, down and up: 2 + 2 * 2 above, pooled and rounded to pairs, 2 below.
    const bed: Bed = { device: cpu, size: [64, 8, 8], network: { base: 2, levels: 2 } };
    const region = { labels: [range(0, 1), range(32, 40), range(0, 8), range(0, 8)] };
    const { graph } = buildPrediction({
      image: shape({ batch: 1, depth: 64, height: 8, width: 8, channel: 1 }),
      network: { ...bed.network, classes: 3 },
    });
    const { program } = makePlan(graph, new Session({ device: cpu }).mesh, {}, cpu.target, { region });
    const [, depth, height] = program.inputs.get('image')!.own[0];
    // Up: 2 voxels. Below: a pair for each end, and 2 more of twice the size. Then the 2 convolutions before pooling.
    expect(depth).toEqual(range(32 - 2 - 4 - 2, 40 + 2 + 4 + 2));
    expect(height).toEqual(range(0, 8));
  });

  it('needs memory for a block and its margin, not for the volume', () => {
    const { graph } = buildPrediction({
      image: shape({ batch: 1, depth: 128, height: 64, width: 64, channel: 1 }),
      network: { base: 8, levels: 2, classes: 3 },
    });
    const { mesh } = new Session({ device: cpu });
    const bytes = (region?: { labels: Box }): number =>
      makePlan(graph, mesh, {}, cpu.target, { region }).memory.arenaBytes[0];
    const block = [range(0, 1), range(56, 64), range(0, 64), range(0, 64)];
    expect(bytes({ labels: block })).toBeLessThan(bytes() / 4);
  });

  it('refuses statistics over the volume, and says why', async () => {
    const bed: Bed = { device: cpu, size: [8, 8, 8], network: { base: 2, levels: 2, norm: 'instance' } };
    await expect(segment(bed, [2, 1, 1])).rejects.toThrow(/cannot be computed in blocks.*"depth"/s);
  });

  it('refuses boxes outside the volume', async () => {
    const session = new Session({ device: cpu });
    const region = { labels: [range(0, 1), range(0, 9), range(0, 8), range(0, 8)] };
    const bed: Bed = { device: cpu, size: [8, 8, 8], network: { base: 2, levels: 2 } };
    await expect(session.load(build(bed), { region })).rejects.toThrow(/output "labels".*impossible box/s);
  });
});
