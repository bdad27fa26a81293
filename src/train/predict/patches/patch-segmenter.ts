import {
  canonicalGrid,
  fromCanonical,
  type Grid,
  type NnunetCase,
  normalizationsOf,
  orientationOf,
  prepareAsNnunet,
  type Shape3,
  spacingOf,
  type VoxelSource,
  wholeBox,
} from '../../../imaging/index.ts';
import { alone, type Processes } from '../../../machine/index.ts';
import type { NnunetSettings } from '../../config/config-type.ts';
import { prepareOptions, scoreCount, stagedOf } from '../../config/model.ts';
import { addFlipped, flipBox, flipsOf } from '../flips.ts';
import type { SegmenterParts, SegmentOptions } from '../segmenter.ts';
import { eachPart, floats, floatsOf, type SegmentedPart, voxelBox } from '../volume-parts.ts';
import { PatchNetwork } from './patch-network.ts';
import { paddedSource, ScoreSum, segmentedPart } from './patch-scores.ts';
import { windowsOver } from './sliding-window.ts';

/** A scan on its own voxels in RAS+ order with the values of its file, and the grid of that file. */
export interface RawSource extends VoxelSource {
  readonly geometry?: { readonly original: Grid };
}

export interface PatchOptions {
  readonly settings: NnunetSettings;
  /** One window over all of a scan, in place of many. */
  readonly wholeVolume?: boolean;
}

/** A scan in the order of axes that the networks see, prepared. */
interface Prepared extends NnunetCase {
  readonly grid: Grid;
}

/**
 * Segments scans as nnU-Net v2 does: prepared in its way, by windows that slide over them, each also mirrored, whose scores are added up
 * by Gaussian weights. The mean scores of all networks come to the voxels of the file, and the highest is the class. Where several
 * processes run the mesh, all prepare the scan and share the work on each window, and process 0 puts the scores together.
 */
export class PatchSegmenter {
  private readonly networks: readonly PatchNetwork[];
  private readonly parts: SegmenterParts;
  private readonly options: PatchOptions;

  /** Networks with the same classes, channels and settings. */
  constructor(networks: readonly SegmenterParts[], options: PatchOptions) {
    this.networks = networks.map((parts) => new PatchNetwork(parts));
    [this.parts] = networks;
    this.options = options;
  }

  /** Steps that the first network was trained for; known after the first volume. */
  get step(): number | undefined {
    return this.networks[0].step;
  }

  /** Gives the memory of the networks back; the next volume takes it again. */
  free(): void {
    for (const network of this.networks) network.free();
  }

  /**
   * As the segmenter of whole volumes; all processes call it, and process 0 gives one part, the whole. Without `flips` axes are mirrored
   * as the settings say.
   */
  async segment(
    source: RawSource,
    options: SegmentOptions,
    take: (part: SegmentedPart) => Promise<void> | void,
  ): Promise<void> {
    const { config, classes } = this.parts;
    const { scores: resampling } = this.options.settings;
    const prepared = await this.prepare(source);
    const scores = await this.scoresOf(prepared, options);
    if (scores === undefined) return;
    const spacing = networkSpacing(config);
    const written = config.regions?.map((region) => region.written);
    const found = {
      ...prepared,
      scores,
      classes: scoreCount(config, classes.length),
      written,
      spacing,
      resampling,
    };
    await take(segmentedPart(found, options.probabilities === true));
  }

  private async prepare(source: RawSource): Promise<Prepared> {
    const { geometry, shape, channels = 1 } = source;
    if (geometry === undefined) throw new RangeError('unreachable: a scan without the grid of its file');
    const { config } = this.parts;
    const { order, image: resampling } = this.options.settings;
    const canonical = canonicalGrid(geometry.original);
    const grid = order === 'file' ? geometry.original : canonical;
    const raw: Float32Array[] = [];
    for (let channel = 0; channel < channels; channel++) {
      const data = await source.image(wholeBox(shape), channel);
      raw.push(fromCanonical({ ...canonical, data }, orientationOf(grid.affine)).data);
    }
    const normalizations = normalizationsOf(prepareOptions(config));
    const preparation = { spacing: networkSpacing(config), resampling, normalizations };
    return { ...prepareAsNnunet(raw, grid.shape, spacingOf(grid), preparation), grid };
  }

  /** The scores of a prepared scan, [depth, height, width, class]; nothing but on process 0. */
  private async scoresOf(prepared: Prepared, options: SegmentOptions): Promise<Float32Array | undefined> {
    const { config, processes = alone(1) } = this.parts;
    const classes = scoreCount(config, this.parts.classes.length);
    const { settings, wholeVolume } = this.options;
    const window = wholeVolume ? this.networks[0].roomFor(prepared.shape) : settings.patch;
    const padded = paddedSource(prepared, window, outsideOf(config));
    const starts = windowsOver(padded.shape, window, settings.step);
    const flips = flipsOf(options.flips ?? settings.mirror);
    const sum = processes.index === 0 ? new ScoreSum(padded, window, classes) : undefined;
    const hostBytes = (options.hostBytes ?? 0) + prepared.image.byteLength + (sum?.byteLength ?? 0);
    const passes = this.networks.length * starts.length * flips.length;
    let done = 0;
    for (const network of this.networks) {
      await network.open(window, hostBytes);
      for (const start of starts) {
        const scores = sum?.window();
        for (const flip of flips) {
          options.signal?.throwIfAborted();
          const found = await network.scores(padded.at(start), flip);
          await onFirst(processes, found, classes, (box, numbers) => {
            if (scores)
              addFlipped(scores, wholeBox(window), numbers, flipBox(box, window, flip), flip, classes);
          });
          options.onPass?.(++done, passes);
        }
        sum?.add(start, flips.length);
      }
      // One network is in memory at a time.
      if (this.networks.length > 1) network.free();
    }
    return sum?.mean();
  }
}

/** Gives the parts of all processes to `take` on process 0; all call it. */
async function onFirst(
  processes: Processes,
  found: Awaited<ReturnType<PatchNetwork['scores']>>,
  classes: number,
  take: (box: ReturnType<typeof voxelBox>, numbers: Float32Array) => void,
): Promise<void> {
  const parts = found.map(({ box, data }) => {
    const { buffer, byteOffset, byteLength } = floats(data);
    return { box: voxelBox(box), bytes: new Uint8Array(buffer, byteOffset, byteLength) };
  });
  await eachPart(processes, { label: 'scores', parts, voxelBytes: 4 * classes, to: [0] }, ({ box, bytes }) =>
    take(box, floatsOf(bytes)),
  );
}

/** What stands beyond a scan: 0 as the layers of the network see it, behind the line that it draws first. */
function outsideOf(config: SegmenterParts['config']): number {
  const network = stagedOf(config);
  if (network === undefined || network.scale === 0) return 0;
  return 0 - network.shift / network.scale;
}

function networkSpacing({ spacing = 1 }: SegmenterParts['config']): Shape3 {
  return typeof spacing === 'number' ? [spacing, spacing, spacing] : spacing;
}
