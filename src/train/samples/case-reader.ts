import {
  type Case,
  ChunkCache,
  GlassLeftOut,
  isZarr,
  MemorySource,
  normalizationsOf,
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
 * The cases of a training. Those of a store of preprocessed cases are read a box at a time, so that no process holds a whole
 * one; scans are prepared whole and kept as far as memory allows.
 */
export class CaseReader {
  /** The scans that were prepared. */
  private readonly scans: CaseCache;
  private readonly options: PrepareOptions;
  private readonly chunks = new ChunkCache(CHUNK_BYTES);
  private readonly stored = new Map<string, VoxelSource>();
  private readonly prepared = new WeakMap<PreparedCase, VoxelSource>();
  private readonly processes: Processes;

  constructor(options: PrepareOptions, batch: number, processes: Processes) {
    this.options = options;
    this.processes = processes;
    this.scans = new CaseCache(options, batch);
  }

  /** A case whose boxes can be read; good until the next one is asked for. */
  async source(entry: Case): Promise<VoxelSource> {
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
    const apart = this.processes.ranks.length > 1 || isZarr(entry.image) || this.channels > 1;
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
