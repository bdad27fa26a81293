import { type PictureSamples, samplesOf } from '../picture-types.ts';
import { unpackBits, wideSamples } from '../samples.ts';

/** What the header of a PNG says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bits: 1 | 2 | 4 | 8 | 16;
  readonly colours: 'grey' | 'RGB' | 'palette' | 'grey, alpha' | 'RGB, alpha';
  /** Samples of a pixel, alpha among them. */
  readonly samples: number;
  readonly interlaced: boolean;
}

/** Pixels that a pass of an interlaced picture has: the first row and column, and the steps to the next (section 8.1). */
const interlacedPasses = [
  [0, 0, 8, 8],
  [0, 4, 8, 8],
  [4, 0, 8, 4],
  [0, 2, 4, 4],
  [2, 0, 4, 2],
  [0, 1, 2, 2],
  [1, 0, 2, 1],
] as const;

/** Takes the unpacked bytes of a PNG and puts the samples of its rows together, alpha left out. */
export class PngRows {
  /** Interleaved samples of all rows. */
  readonly samples: PictureSamples;
  private readonly header: PngHeader;
  private readonly labels: boolean;
  private readonly palette: Uint8Array | undefined;
  private readonly channels: 1 | 3;
  private readonly passes: readonly (readonly [number, number, number, number])[];
  private pass = 0;
  /** Row of the pass. */
  private row = 0;
  /** The filter of the row and its bytes, so many of which are there; the row before. */
  private line = new Uint8Array(0);
  private filled = 0;
  private before = new Uint8Array(0);

  /** `labels`: values stay as they are; else indices become colours, and grey of fewer bits 0 to 255. */
  constructor(
    header: PngHeader,
    { labels, palette }: { readonly labels: boolean; readonly palette?: Uint8Array },
  ) {
    const { height, width, bits, colours } = header;
    this.header = header;
    this.labels = labels;
    this.palette = labels ? undefined : palette;
    this.channels = colours.startsWith('RGB') || this.palette !== undefined ? 3 : 1;
    this.samples = samplesOf(bits === 16 ? 'uint16' : 'uint8', height * width * this.channels);
    const all = header.interlaced ? interlacedPasses : ([[0, 0, 1, 1]] as const);
    this.passes = all.filter(([row, column]) => row < height && column < width);
    this.beginPass();
  }

  /** Whether all rows are there. */
  get done(): boolean {
    return this.pass === this.passes.length;
  }

  private get columns(): number {
    const [, first, , step] = this.passes[this.pass];
    return Math.ceil((this.header.width - first) / step);
  }

  private beginPass(): void {
    if (this.done) return;
    const { bits, samples } = this.header;
    this.row = 0;
    this.line = new Uint8Array(1 + Math.ceil((this.columns * bits * samples) / 8));
    this.before = new Uint8Array(this.line.length);
  }

  /** Takes the next bytes; says what is wrong with them, if something is. */
  take(bytes: Uint8Array): string | undefined {
    for (let at = 0; at < bytes.length && !this.done; ) {
      const count = Math.min(bytes.length - at, this.line.length - this.filled);
      this.line.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled < this.line.length) break;
      if (this.line[0] > 4) return `a row with the filter ${this.line[0]}, of which there are 0 to 4`;
      unfilter(this.line, this.before, Math.max(1, (this.header.bits * this.header.samples) >> 3));
      this.put(this.line.subarray(1));
      [this.line, this.before, this.filled] = [this.before, this.line, 0];
      const [first, , step] = this.passes[this.pass];
      if (++this.row * step + first < this.header.height) continue;
      this.pass++;
      this.beginPass();
    }
    return undefined;
  }

  /** Puts the samples of a row where they belong. */
  private put(bytes: Uint8Array): void {
    const { bits, samples: perPixel, width } = this.header;
    const { channels, palette, columns, samples } = this;
    const [firstRow, firstColumn, rowStep, step] = this.passes[this.pass];
    const row =
      bits === 16
        ? wideSamples(bytes, false)
        : bits === 8
          ? bytes
          : unpackBits(bytes, bits, 1, columns * perPixel);
    const scale = bits < 8 && !this.labels && palette === undefined ? 255 / (2 ** bits - 1) : 1;
    let to = ((firstRow + this.row * rowStep) * width + firstColumn) * channels;
    for (let n = 0; n < columns; n++, to += step * channels)
      for (let channel = 0; channel < channels; channel++)
        samples[to + channel] =
          palette === undefined ? row[n * perPixel + channel] * scale : (palette[3 * row[n] + channel] ?? 0);
  }
}

/** Undoes the filter of a row, in place (section 9); `step`: bytes from a pixel to the one before it, at least 1. */
function unfilter(line: Uint8Array, before: Uint8Array, step: number): void {
  const end = line.length;
  switch (line[0]) {
    case 1:
      for (let n = 1 + step; n < end; n++) line[n] += line[n - step];
      break;
    case 2:
      for (let n = 1; n < end; n++) line[n] += before[n];
      break;
    case 3:
      for (let n = 1; n < end; n++) line[n] += ((n > step ? line[n - step] : 0) + before[n]) >> 1;
      break;
    case 4:
      for (let n = 1; n < end; n++) {
        const [left, corner] = n > step ? [line[n - step], before[n - step]] : [0, 0];
        line[n] += nearest(left, before[n], corner);
      }
      break;
  }
}

/** The one of three that is nearest to left + above - corner (Paeth's). */
function nearest(left: number, above: number, corner: number): number {
  const [toLeft, toAbove] = [Math.abs(above - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
