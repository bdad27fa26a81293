import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { augment, changes, everything, makeSample, sourceOf } from '../../../test/imaging/augment-fixture.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { boxShape, type VoxelBox } from '../volume/voxel-source.ts';
import {
  type AugmentConfig,
  augmentBox,
  mildAugmentation,
  noAugmentation,
  paperAugmentation,
} from './augment.ts';

const shape: Shape3 = [11, 7, 9];

const sample = makeSample(shape);
const key = (step: number) => ({ seed: 1, caseIndex: 2, step });

const configs = Object.entries({ ...changes, everything, mild: mildAugmentation, paper: paperAugmentation });

/** Where a volume is cut along depth, height and width. */
type Cuts = Readonly<Partial<Record<'k' | 'j' | 'i', readonly number[]>>>;

/** All the boxes of a volume that is cut. */
function boxesOf({ k = [], j = [], i = [] }: Cuts, size = shape): VoxelBox[] {
  const ranges = [k, j, i].map((cuts, axis) => {
    const ends = [...cuts, size[axis]];
    return ends.map((end, n) => [n === 0 ? 0 : ends[n - 1], end]);
  });
  return ranges[0].flatMap(([k0, k1]) =>
    ranges[1].flatMap(([j0, j1]) =>
      ranges[2].map(([i0, i1]): VoxelBox => ({ start: [k0, j0, i0], end: [k1, j1, i1] })),
    ),
  );
}

/** Cuts between all voxels of an axis. */
const each = (extent: number) => Array.from({ length: extent - 1 }, (_, n) => n + 1);

/** A volume put together from what augmentBox makes of boxes. */
async function fromBoxes(
  config: AugmentConfig,
  step: number,
  boxes: readonly VoxelBox[],
  most?: number,
  from = sample,
) {
  const { shape } = from;
  const source = sourceOf(from);
  const image = new Float32Array(from.image.length).fill(7);
  const labels = new Uint8Array(image.length).fill(9);
  // The last first: no box may depend on what came before.
  for (const box of boxes.toReversed()) {
    const part = await augmentBox(source, config, key(step), box, { most });
    const [depth, height, width] = boxShape(box);
    expect(part.image.length).toBe(depth * height * width);
    for (let n = 0; n < part.image.length; n++) {
      const k = box.start[0] + Math.floor(n / (height * width));
      const j = box.start[1] + (Math.floor(n / width) % height);
      const to = (k * shape[1] + j) * shape[2] + box.start[2] + (n % width);
      image[to] = part.image[n];
      labels[to] = part.labels?.[n] ?? 9;
    }
  }
  return { image, labels, shape };
}

describe.each(configs)('augmentBox: %s', (_, config) => {
  it.each<[string, Cuts]>([
    ['one', {}],
    ['halves', { k: [6], j: [4], i: [5] }],
    ['uneven', { k: [1, 2, 8], j: [6], i: [3] }],
    ['slices', { k: each(11) }],
    ['slabs one voxel wide', { i: each(9) }],
    ['rows', { k: [6], j: each(7) }],
  ])('gives the bits of the whole volume in boxes: %s', async (_, cuts) => {
    for (const step of [0, 1]) {
      const whole = await augment(sample, config, key(step));
      expect(await fromBoxes(config, step, boxesOf(cuts))).toEqual(whole);
    }
  });

  it('gives the same bits when it reads in small parts', async () => {
    const boxes = boxesOf({ j: [5] });
    expect(await fromBoxes(config, 2, boxes, 150)).toEqual(await augment(sample, config, key(2)));
  });

  it('keeps the range, has only classes that there were, and leaves its input alone', async () => {
    const before = { image: sample.image.slice(), labels: sample.labels.slice() };
    for (let step = 0; step < 20; step++) {
      const out = await augment(sample, config, key(step));
      expect(out.shape).toEqual(shape);
      expect(out.image.every((value) => value >= 0 && value <= 1)).toBe(true);
      expect(out.labels?.every((label) => label < 3)).toBe(true);
    }
    expect(sample).toEqual({ ...before, shape });
  });

  it('takes scans without labels', async () => {
    const bare = { image: sample.image, shape };
    const out = await augment(bare, config, key(0));
    expect(out.labels).toBeUndefined();
    const box = await augmentBox(sourceOf(bare), config, key(0));
    expect(box).toEqual({ image: out.image, labels: undefined });
  });
});

describe('boxes of a volume that is much larger than what shifts reach', () => {
  // Small volumes are read whole, and would not tell a hull that is too small.
  const large = makeSample([40, 36, 38]);
  const boxes = boxesOf({ k: [13, 27], j: [17], i: [12, 25] }, large.shape);

  it.each<[string, AugmentConfig]>([
    ['elastic', { elastic: { probability: 1, cells: 2, ratio: 0.25 } }],
    ['affine', changes.affine],
    ['projective', changes.projective],
    ['all of them', { ...everything, elastic: { probability: 1, cells: 2, ratio: 0.25 } }],
  ])('have the bits of the whole: %s', async (_, config) => {
    for (const step of [0, 1])
      expect(await fromBoxes(config, step, boxes, undefined, large)).toEqual(
        await augment(large, config, key(step)),
      );
  });
});

describe('augment', () => {
  it('gives the same for the same key and another for another', async () => {
    for (const [, config] of configs) {
      expect(await augment(sample, config, key(3))).toEqual(await augment(sample, config, key(3)));
    }
    const keys = [key(3), key(4), { ...key(3), seed: 9 }, { ...key(3), caseIndex: 0 }];
    const results = keys.map(async (k) => (await augment(sample, everything, k)).image.join());
    expect(new Set(await Promise.all(results)).size).toBe(4);
  });

  it('draws each change alone: others do not alter it', async () => {
    const { map, labels } = { map: changes.affine, labels: { ...changes.affine, ...changes.noise } };
    expect((await augment(sample, labels, key(5))).labels).toEqual(
      (await augment(sample, map, key(5))).labels,
    );
  });

  it('writes into given arrays what it would write into new ones, whatever they hold', async () => {
    const voxels = voxelCount(shape);
    for (let step = 0; step < 40; step++) {
      const into = { image: new Float32Array(voxels).fill(7), labels: new Uint8Array(voxels).fill(7) };
      const out = await augment(sample, paperAugmentation, key(step), into);
      expect(out).toEqual(await augment(sample, paperAugmentation, key(step)));
      expect([into.image, sample.image]).toContain(out.image);
      expect([into.labels, sample.labels]).toContain(out.labels);
    }
  });

  it('without any change returns the arrays as they are', async () => {
    const out = await augment(sample, noAugmentation, key(0));
    expect(out.image).toBe(sample.image);
    expect(out.labels).toBe(sample.labels);
  });

  it.each<[string, AugmentConfig, (k: number, j: number, i: number) => [number, number, number]]>([
    ['depth', { flip: [1, 0, 0] }, (k, j, i) => [10 - k, j, i]],
    ['height', { flip: [0, 1, 0] }, (k, j, i) => [k, 6 - j, i]],
    ['width', { flip: [0, 0, 1] }, (k, j, i) => [k, j, 8 - i]],
    ['all by rotation and depth', { flip: [1, 0, 0], rotate180: 1 }, (k, j, i) => [10 - k, 6 - j, 8 - i]],
    ['none: rotation and flips cancel', { flip: [0, 1, 1], rotate180: 1 }, (k, j, i) => [k, j, i]],
  ])('flips image and labels together, and back: %s', async (_, change, from) => {
    const out = await augment(sample, change, key(0));
    for (let n = 0; n < out.image.length; n++) {
      const [k, j, i] = from(Math.floor(n / (7 * 9)), Math.floor(n / 9) % 7, n % 9);
      const source = (k * 7 + j) * 9 + i;
      expect(out.image[n]).toBe(sample.image[source]);
      expect(out.labels?.[n]).toBe(sample.labels[source]);
    }
    expect(await augment(out, change, key(1))).toEqual(sample);
  });

  it('takes each change about as often as its probability says', async () => {
    let flipped = 0;
    const config: AugmentConfig = { flip: [0.5, 0, 0] };
    for (let step = 0; step < 400; step++)
      flipped += (await augment(sample, config, key(step))).image === sample.image ? 0 : 1;
    expect(flipped).toBeGreaterThan(160);
    expect(flipped).toBeLessThan(240);
  });
});

it('any box of any volume has the bits of the whole', async () => {
  const extent = fc.integer({ min: 1, max: 9 });
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(extent, extent, extent),
      fc.nat(),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      async (size, step, shares) => {
        const small = makeSample(size as unknown as Shape3);
        const draw = (n: number) => Math.floor(shares.next().value! * n);
        const start = size.map(draw);
        const end = size.map((n, axis) => start[axis] + 1 + draw(n - start[axis]));
        const box = { start, end } as unknown as VoxelBox;
        const part = await augmentBox(sourceOf(small), everything, key(step), box, { most: 60 });
        const whole = await augment(small, everything, key(step));
        const cut = sourceOf({ ...whole });
        expect(part.image).toEqual(await cut.image(box));
        expect(part.labels).toEqual(await cut.labels(box));
      },
    ),
    { numRuns: 60 },
  );
});
