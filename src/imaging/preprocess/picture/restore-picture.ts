import { canonicalGrid } from '../../volume/orientation.ts';
import type { PreparedGeometry } from '../../volume/prepared-case.ts';
import type { VoxelBox } from '../../volume/voxel-source.ts';
import { voteLabels } from '../resample-labels.ts';
import { type AxisTaps, axisTaps, sliceTaps, tapsReach } from '../resample-taps.ts';

/** Pixels that are resampled at a time, at most, but for one row. */
const PIXELS = 2 ** 22;

/**
 * Brings the labels of a prepared picture, which come row by row, back to the pixels of its file. Classes vote as in resampleLabels; those
 * that lose all their pixels, as they can where the file has fewer, are lost. Memory holds the rows that the next ones read.
 */
export class PictureRestorer {
  private readonly take: (box: VoxelBox, labels: Uint8Array) => Promise<void>;
  private readonly prepared: PreparedGeometry;
  private readonly taps: readonly [rows: AxisTaps, columns: AxisTaps];
  /** Rows of what the picture fills, from the row `first` on. */
  private held = new Uint8Array(0);
  private first = 0;
  /** Rows of the file that are done. */
  private done = 0;
  private came = 0;

  constructor(prepared: PreparedGeometry, take: (box: VoxelBox, labels: Uint8Array) => Promise<void>) {
    this.take = take;
    this.prepared = prepared;
    const [, height, width] = canonicalGrid(prepared.original).shape;
    const [, rows, columns] = prepared.filled;
    this.taps = [axisTaps(rows, height), axisTaps(columns, width)];
  }

  /** Takes rows that follow those before, of the whole prepared width. */
  async rows(labels: Uint8Array): Promise<void> {
    const [, , across] = this.prepared.shape;
    const [, filledRows, columns] = this.prepared.filled;
    const count = Math.min(labels.length / across, Math.max(0, filledRows - this.came));
    this.came += labels.length / across;
    const held = new Uint8Array(this.held.length + count * columns);
    held.set(this.held);
    for (let r = 0; r < count; r++)
      held.set(labels.subarray(r * across, r * across + columns), this.held.length + r * columns);
    this.held = held;
    const [rowTaps] = this.taps;
    const there = this.first + held.length / columns;
    const most = Math.max(1, Math.floor(PIXELS / this.taps[1].outSize));
    for (;;) {
      let end = this.done;
      while (end < rowTaps.outSize && end < this.done + most && tapsReach(rowTaps, end, end + 1)[1] <= there)
        end++;
      if (end === this.done) break;
      await this.restore(this.done, end);
      this.done = end;
    }
    if (this.done === rowTaps.outSize) return;
    const [next] = tapsReach(rowTaps, this.done, this.done + 1);
    this.held = this.held.slice((next - this.first) * columns);
    this.first = next;
  }

  private async restore(row0: number, row1: number): Promise<void> {
    const [rows, columns] = this.taps;
    const width = columns.inSize;
    const [from, to] = tapsReach(rows, row0, row1);
    const data = this.held.subarray((from - this.first) * width, (to - this.first) * width);
    const out = new Uint8Array((row1 - row0) * columns.outSize);
    const taps = [axisTaps(1, 1), sliceTaps(rows, row0, row1, [from, to]), columns] as const;
    voteLabels({ data, shape: [1, to - from, width] }, taps, out);
    await this.take({ start: [0, row0, 0], end: [1, row1, columns.outSize] }, out);
  }
}
