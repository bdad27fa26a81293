import { type Box, boxVolume, fail, length, type Range, range, showBox } from '../../core/index.ts';
import {
  type AugmentConfig,
  type AugmentKey,
  augmentChannels,
  type Shape3,
  type VoxelBox,
  type VoxelSource,
} from '../../imaging/index.ts';
import type { Feed } from '../../run/index.ts';
import { PIECE_VOXELS } from './cases.ts';
import { interleaved } from './interleaved.ts';

/** The volumes of a step as inputs [batch, depth, height, width] (and a channel), read a box at a time. */
export interface BoxFeeds {
  readonly image: Feed;
  readonly labels: Feed;
}

/** A sample of a step: a case, and what its changes are drawn from. */
export interface StepSample {
  /** Asked for anew for each box: a scan may have to make room for the others of its step. */
  readonly source: () => Promise<VoxelSource>;
  readonly key: AugmentKey;
  /** The corner of the changed volume where the sample begins. */
  readonly start: Shape3;
  /** For messages. */
  readonly where: string;
}

/**
 * Inputs from functions that give the voxels of a box of sample i, of the image those of some of its channels. Boxes that are read
 * at once have `most` voxels.
 */
export function boxFeeds(
  most: number,
  batch: number,
  read: {
    readonly image: (i: number, box: VoxelBox, channels: Range) => Promise<Float32Array>;
    readonly labels: (i: number, box: VoxelBox) => Promise<Uint8Array>;
  },
  channels = 1,
): BoxFeeds {
  const joined =
    <T extends Float32Array | Uint8Array>(one: (i: number, box: VoxelBox, channels: Range) => Promise<T>) =>
    async (box: Box): Promise<T> => {
      const [samples, , , , chosen] = box;
      const spatial = spatialBox(box);
      const first = await one(samples.start, spatial, chosen);
      if (batch === 1 || length(samples) === 1) return first;
      const all = new (first.constructor as new (length: number) => T)(boxVolume(box));
      all.set(first);
      for (let i = samples.start + 1; i < samples.end; i++)
        all.set(await one(i, spatial, chosen), (i - samples.start) * first.length);
      return all;
    };
  return {
    image: { read: joined(read.image), most: most * channels },
    labels: { read: joined(read.labels), most },
  };
}

/** Inputs whose image and labels of a box come from one reading. */
export function pairedFeeds(
  samples: readonly { readonly where: string }[],
  read: (
    i: number,
    box: VoxelBox,
    channels?: Range,
  ) => Promise<{ readonly image: Float32Array; readonly labels?: Uint8Array }>,
  channels = 1,
): BoxFeeds {
  // Labels that were made with the image, until they are asked for.
  const waiting = new Map<string, Uint8Array>();
  const keyOf = (i: number, { start, end }: VoxelBox): string => `${i} ${start} ${end}`;
  const named: typeof read = async (i, box, chosen) => {
    try {
      return await read(i, box, chosen);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return fail({ where: samples[i].where, problem }, { cause: error });
    }
  };
  return boxFeeds(
    PIECE_VOXELS,
    samples.length,
    {
      async image(i, box, chosen) {
        const { image, labels } = await named(i, box, chosen);
        if (labels) waiting.set(keyOf(i, box), labels);
        return image;
      },
      async labels(i, box) {
        const known = waiting.get(keyOf(i, box));
        waiting.delete(keyOf(i, box));
        if (known) return known;
        const { labels } = await named(i, box);
        const problem = `box ${showBox(boxOf(box))} has no labels`;
        return labels ?? fail({ where: samples[i].where, problem });
      },
    },
    channels,
  );
}

/** Inputs of a training step on volumes, or on patches of them: each box is changed on its own. */
export function augmentedFeeds(
  samples: readonly StepSample[],
  config: AugmentConfig,
  channels = 1,
): BoxFeeds {
  return pairedFeeds(
    samples,
    async (i, box, chosen = range(0, 1)) => {
      const { source, key, start } = samples[i];
      const place = moved(box, start);
      const options = { most: PIECE_VOXELS };
      const { images, labels } = await augmentChannels(await source(), config, key, place, chosen, options);
      const image = await interleaved(chosen, async (channel) => images[channel - chosen.start]);
      return { image, labels };
    },
    channels,
  );
}

/** The box of a volume that a box of an input stands for. */
function spatialBox([, depth, height, width]: Box): VoxelBox {
  const side = (n: 'start' | 'end'): Shape3 => [depth[n], height[n], width[n]];
  return { start: side('start'), end: side('end') };
}

/** The box that a box of a sample is in its volume, where the sample begins at `by`. */
export function moved({ start, end }: VoxelBox, by: Shape3): VoxelBox {
  const corner = (at: Shape3): Shape3 => [at[0] + by[0], at[1] + by[1], at[2] + by[2]];
  return { start: corner(start), end: corner(end) };
}

const boxOf = ({ start, end }: VoxelBox): Box => start.map((n, axis) => ({ start: n, end: end[axis] }));
