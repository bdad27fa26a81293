import { uniformAt } from '../../src/core/index.ts';
import {
  type AugmentConfig,
  type AugmentKey,
  augmentBox,
  type SampleArrays,
} from '../../src/imaging/augment/augment.ts';
import { MemorySource } from '../../src/imaging/volume/memory-source.ts';
import type { Shape3 } from '../../src/imaging/volume/volume.ts';
import { boxShape, type VoxelBox, type VoxelSource } from '../../src/imaging/volume/voxel-source.ts';

// What the tests of augmentation change.

/** A windowed image (0..1), its labels if it has any, [depth, height, width]. */
export interface Sample {
  readonly image: Float32Array;
  readonly labels?: Uint8Array;
  readonly shape: Shape3;
}

/** A whole sample that lies in memory, changed. */
export async function augment(
  sample: Sample,
  config: AugmentConfig,
  key: AugmentKey,
  into?: SampleArrays,
): Promise<Sample> {
  const source = new MemorySource({ id: 'sample', ...sample });
  return { ...(await augmentBox(source, config, key, undefined, { into })), shape: sample.shape };
}

/** A bright organ with dark lesions in it, on a ragged ground. */
export function makeSample([depth, height, width]: Shape3): Required<Sample> {
  const image = new Float32Array(depth * height * width);
  const labels = new Uint8Array(image.length);
  for (let n = 0; n < image.length; n++) {
    const [k, j, i] = [Math.floor(n / (height * width)), Math.floor(n / width) % height, n % width];
    const organ = Math.hypot(k / depth - 0.5, j / height - 0.5, i / width - 0.5) < 0.42;
    labels[n] = organ ? (Math.sin(k) + Math.cos(j + i) > 1.2 ? 2 : 1) : 0;
    image[n] = [0.1, 0.7, 0.5][labels[n]] + 0.2 * uniformAt(3, n);
  }
  return { image, labels, shape: [depth, height, width] };
}
/** Every change, each surely made. */
export const changes: Readonly<Record<string, AugmentConfig>> = {
  fakeLesions: { fakeLesions: { probability: 1 } },
  flip: { flip: [1, 1, 1] },
  rotate180: { rotate180: 1 },
  projective: { projective: { probability: 1, transformRatio: 0.1, translateRatio: 0.05 } },
  affine: { affine: { probability: 1, transformRatio: 0.1, translateRatio: 0.05 } },
  zoom: { zoom: { probability: 1, ratio: 0.2 } },
  elastic: { elastic: { probability: 1, cells: 4, ratio: 0.25 } },
  classIntensity: { classIntensity: { probability: 1, ratio: 0.2 } },
  gamma: { gamma: { probability: 1, ratio: 0.3 } },
  intensity: { intensity: { probability: 1, scale: 0.2, shift: 0.1 } },
  noise: { noise: { probability: 1, ratio: 0.1 } },
  corruption: { corruption: { probability: 1, share: 0.4 } },
};
export const everything: AugmentConfig = Object.assign({}, ...Object.values(changes));
/** A source that gives fresh copies of boxes and says what was read. */
export function sourceOf({ image, labels, shape }: Sample): VoxelSource & { readonly read: VoxelBox[] } {
  const read: VoxelBox[] = [];
  const cut = <T extends Float32Array | Uint8Array>(data: T, box: VoxelBox): T => {
    read.push(box);
    const [depth, height, width] = boxShape(box);
    const out = data.slice(0, depth * height * width) as T;
    for (let k = 0; k < depth; k++)
      for (let j = 0; j < height; j++) {
        const from = ((box.start[0] + k) * shape[1] + box.start[1] + j) * shape[2] + box.start[2];
        out.set(data.subarray(from, from + width), (k * height + j) * width);
      }
    return out;
  };
  return {
    id: 'sample',
    shape,
    classes: new MemorySource({ id: 'sample', image, labels, shape }).classes,
    read,
    image: async (box) => cut(image, box),
    labels: async (box) => (labels ? cut(labels, box) : Promise.reject(new Error('no labels'))),
  };
}
