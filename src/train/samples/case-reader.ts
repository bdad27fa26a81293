import {
  type Case,
  ChunkCache,
  channelFiles,
  GlassLeftOut,
  isPictureName,
  isZarr,
  MemorySource,
  normalizationsOf,
  type PictureStatistics,
  type PreparedCase,
  type PrepareOptions,
  StoredCase,
  type VoxelSource,
} from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
import { CaseCache, CHUNK_BYTES, PIECE_VOXELS } from './cases.ts';
import { interleaved } from './interleaved.ts';
import { type BoxFeeds, boxFeeds } from './sample-feeds.ts';

/**
 * The cases of a training. Those of a store of preprocessed cases, and pictures where some are large, are read a box at a time, so that no
 * process holds a whole one; scans are prepared whole and kept as far as memory allows.
 */
export class CaseReader {
  /** The scans that were prepared. */
  private readonly scans: CaseCache;
  private readonly options: PrepareOptions;
  private readonly chunks = new ChunkCache(CHUNK_BYTES);
  private readonly stored = new Map<string, VoxelSource>();
  private readonly prepared = new WeakMap<PreparedCase, VoxelSource>();
  private readonly processes: Processes;
  /** Pictures that are open, as many as are in a batch; of all that were, what their pixels say. */
  private readonly pictures = new Map<string, VoxelSource>();
  private readonly statistics = new Map<string, PictureStatistics>();
  private readonly batch: number;
  private readonly byBoxes: boolean;

  /** `byBoxes`: whether cases of the training are read by boxes. */
  constructor(options: PrepareOptions, batch: number, processes: Processes, byBoxes = false) {
    this.options = options;
    [this.batch, this.byBoxes] = [batch, byBoxes];
    this.processes = processes;
    this.scans = new CaseCache(options, batch);
  }

  /** A case whose boxes can be read; good until the next one is asked for. */
  async source(entry: Case): Promise<VoxelSource> {
    if (!isZarr(entry.image) && this.readsBoxes(entry)) return this.picture(entry);
    if (!isZarr(entry.image)) {
      const prepared = await this.scans.get(entry);
      const source =
        this.prepared.get(prepared) ?? this.withoutGlass(new MemorySource(prepared, entry.labelNames));
      this.prepared.set(prepared, source);
      return source;
    }
    const source =
      this.stored.get(entry.image) ??
      this.withoutGlass(await StoredCase.open(entry, this.options, this.chunks));
    this.stored.set(entry.image, source);
    return source;
  }

  /** Whether a case is read as its boxes are asked for, and not before. */
  readsBoxes(entry: Case): boolean {
    return isZarr(entry.image) || (this.byBoxes && isPictureName(channelFiles(entry)[0].file));
  }

  private async picture(entry: Case): Promise<VoxelSource> {
    const { id } = entry;
    const known = this.pictures.get(id);
    // A map runs in the order of insertion: the first is the one unused for longest.
    this.pictures.delete(id);
    if (known === undefined)
      for (const other of this.pictures.keys()) {
        if (this.pictures.size < this.batch) break;
        this.pictures.delete(other);
      }
    const source = known ?? (await this.openPicture(entry));
    this.pictures.set(id, source);
    return source;
  }

  private async openPicture(entry: Case): Promise<VoxelSource> {
    // Half for tiles, half for the pixels that are read of them at once.
    const keep = CHUNK_BYTES / 2 / this.batch;
    const { openPictureCase } = await import('../../imaging/preprocess/picture/picture-boxes.ts');
    const { source, statistics } = await openPictureCase(
      entry,
      this.options,
      keep,
      this.statistics.get(entry.id),
    );
    this.statistics.set(entry.id, statistics);
    return this.withoutGlass(source);
  }

  private withoutGlass(source: VoxelSource): VoxelSource {
    return this.options.ignoreGlass ? new GlassLeftOut(source) : source;
  }

  private get channels(): number {
    return normalizationsOf(this.options).length;
  }

  /**
   * A case of one channel as whole arrays, where this process has them in memory and runs all ranks itself: then that is cheaper than
   * boxes.
   */
  async whole(entry: Case): Promise<PreparedCase | undefined> {
    const apart = this.processes.ranks.length > 1 || this.readsBoxes(entry) || this.channels > 1;
    return apart ? undefined : this.scans.get(entry);
  }

  /** Image and labels of a case as it is, as inputs of a program, and its shape. */
  async feeds(entry: Case): Promise<BoxFeeds & { readonly shape: PreparedCase['shape'] }> {
    const source = await this.source(entry);
    const { channels } = this;
    const feeds = boxFeeds(
      PIECE_VOXELS,
      1,
      {
        image: (_, box, chosen) => interleaved(chosen, (channel) => source.image(box, channel)),
        labels: (_, box) => source.labels(box),
      },
      channels,
    );
    const { image = feeds.image, labels = feeds.labels } = (await this.whole(entry)) ?? {};
    return { image, labels, shape: source.shape };
  }
}
