import { IGNORED } from '../label-codes.ts';
import { type IntensityRange, windowRange } from '../normalization.ts';
import type { ClassFacts, VoxelBox, VoxelSource } from '../voxel-source.ts';

// Glass beside the tissue of a stained picture. A pixel is glass where no colour is weakened by more than a little: its optical density,
// -ln(value / 255), is below 0.15 in red, green and blue, which is a value of 220 or more. The limit is that of Macenko et al. 2009, "A
// method for normalizing histology slides for quantitative analysis", ISBI.

/** Optical density below which a colour counts as unstained. */
export const GLASS_DENSITY = 0.15;
/** The same as a part of full light. */
const LIGHT = Math.exp(-GLASS_DENSITY);
const COLOURS = [0, 1, 2] as const;

/** Calls `mark` with the place of each pixel of a box that is glass. */
export async function eachGlass(
  source: Pick<VoxelSource, 'image' | 'ranges'>,
  box: VoxelBox,
  mark: (n: number) => void,
): Promise<void> {
  const limits = COLOURS.map((colour) => limitOf(source.ranges?.[colour] ?? windowRange));
  const [red, green, blue] = await Promise.all(COLOURS.map((colour) => source.image(box, colour)));
  const [r, g, b] = limits;
  for (let n = 0; n < red.length; n++) if (red[n] > r && green[n] > g && blue[n] > b) mark(n);
}

const limitOf = ({ least, most }: IntensityRange): number => least + (most - least) * LIGHT;

/** A case of pictures whose glass is left out: its labels are {@link IGNORED} there. */
export class GlassLeftOut implements VoxelSource {
  private readonly source: VoxelSource;

  constructor(source: VoxelSource) {
    this.source = source;
  }

  get id(): string {
    return this.source.id;
  }

  get shape(): VoxelSource['shape'] {
    return this.source.shape;
  }

  get channels(): number | undefined {
    return this.source.channels;
  }

  get ranges(): VoxelSource['ranges'] {
    return this.source.ranges;
  }

  /** As of the source, glass among its classes. */
  get classes(): readonly ClassFacts[] | undefined {
    return this.source.classes;
  }

  image(box: VoxelBox, channel = 0): Promise<Float32Array> {
    return this.source.image(box, channel);
  }

  async labels(box: VoxelBox): Promise<Uint8Array> {
    const labels = await this.source.labels(box);
    await eachGlass(this.source, box, (n) => {
      labels[n] = IGNORED;
    });
    return labels;
  }
}
