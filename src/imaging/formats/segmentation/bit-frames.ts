import type { SegPixels } from './dicom-seg-data.ts';
import type { Segment } from './segments.ts';

/** A bit for each voxel of a slice, the first one the lowest of its byte (DICOM PS3.5, 8.1.1). */
interface BitFrame {
  readonly slice: number;
  readonly bits: Uint8Array;
}

/** Collects the frames of segments, a bit for each voxel. */
export class BitFrames {
  readonly #plane: number;
  /** By place of the segment. */
  readonly #frames: BitFrame[][];
  /** The place of the segment of a label; -1 for others. */
  readonly #places = new Int16Array(256).fill(-1);
  #slices = 0;

  constructor(plane: number, segments: readonly Segment[]) {
    this.#plane = plane;
    this.#frames = segments.map(() => []);
    for (const [place, { value }] of segments.entries()) this.#places[value] = place;
  }

  /** Takes the labels of the next slice. */
  add(labels: Uint8Array): void {
    const slice = this.#slices++;
    const found = new Map<number, Uint8Array>();
    for (let n = 0; n < labels.length; n++) {
      const place = this.#places[labels[n]];
      if (place < 0) continue;
      let bits = found.get(place);
      if (bits === undefined) {
        bits = new Uint8Array(Math.ceil(this.#plane / 8));
        found.set(place, bits);
      }
      bits[n >> 3] |= 1 << (n & 7);
    }
    for (const [place, bits] of found) this.#frames[place].push({ slice, bits });
  }

  /** All frames, segment by segment; an empty one of the first segment where there are none, since a file has one at least. */
  end(): SegPixels {
    const found = this.#frames.flatMap((frames, place) =>
      frames.map(({ slice, bits }) => ({ slice, place, bits })),
    );
    if (found.length === 0)
      found.push({ slice: 0, place: 0, bits: new Uint8Array(Math.ceil(this.#plane / 8)) });
    const frames = found.map(({ slice, place }) => ({ slice, segment: place + 1 }));
    return { frames, pixels: [this.#together(found.map(({ bits }) => bits))] };
  }

  /** Frames follow each other without room between, so most begin within a byte where their pixels are no multiple of 8. */
  #together(frames: readonly Uint8Array[]): Uint8Array {
    const bytes = Math.ceil((frames.length * this.#plane) / 8);
    const all = new Uint8Array(bytes + (bytes % 2));
    for (const [n, bits] of frames.entries()) {
      const start = n * this.#plane;
      const [at, shift] = [Math.floor(start / 8), start % 8];
      if (shift === 0) all.set(bits, at);
      else
        for (let b = 0; b < bits.length; b++) {
          all[at + b] |= bits[b] << shift;
          if (at + b + 1 < all.length) all[at + b + 1] |= bits[b] >> (8 - shift);
        }
    }
    return all;
  }
}
