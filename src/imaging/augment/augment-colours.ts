import type { Range } from '../../core/index.ts';
import { windowRange } from '../volume/normalization.ts';
import type { VoxelBox, VoxelSource } from '../volume/voxel-source.ts';
import { type AugmentOptions, augmentBox, augmentIntensities } from './augment.ts';
import type { AugmentConfig } from './augment-config.ts';
import type { AugmentKey } from './augment-draw.ts';
import { changeStain, drawStain } from './augment-stain.ts';

/**
 * A box of some channels of a randomly changed case, one array each: see {@link augmentBox}. Where stains change, all three colours of
 * the box are made, whichever of them are wanted, since each depends on the others.
 */
export async function augmentChannels(
  source: VoxelSource,
  config: AugmentConfig,
  key: AugmentKey,
  box: VoxelBox,
  channels: Range,
  { most }: Pick<AugmentOptions, 'most'> = {},
): Promise<{ readonly images: readonly Float32Array[]; readonly labels?: Uint8Array }> {
  const stain = drawStain(config, key);
  const { start, end } = stain === undefined ? channels : { start: 0, end: source.channels ?? 1 };
  const images: Float32Array[] = [];
  let labels: Uint8Array | undefined;
  for (let channel = start; channel < end; channel++) {
    const moved = await augmentBox(source, config, key, box, {
      most,
      channel,
      placesOnly: stain !== undefined,
    });
    images.push(stain !== undefined && source.whole !== undefined ? moved.image.slice() : moved.image);
    labels = moved.labels;
  }
  if (stain === undefined) return { images, labels };
  const ranges = source.ranges ?? images.map(() => windowRange);
  changeStain(images, ranges, stain);
  const wanted = images.slice(channels.start, channels.end);
  for (const [n, image] of wanted.entries())
    augmentIntensities({ box, image, labels }, source, config, key, channels.start + n);
  return { images: wanted, labels };
}
