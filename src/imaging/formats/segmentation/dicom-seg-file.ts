import { ImagingError } from '../../volume/errors.ts';
import { describeGrid, sameGrid } from '../../volume/volume.ts';
import { encodeDataSet, encodeMeta, longHead } from '../dicom/dicom-encode.ts';
import { BitFrames } from './bit-frames.ts';
import { type DicomSegFile, type SegPixels, segClass, segDataSet } from './dicom-seg-data.ts';
import { checkTexts } from './dicom-seg-texts.ts';

/** The class of programs that write such files: a UUID of our own, as a UID (PS3.5, B.2). */
const implementation = '2.25.176340265327146158417104396829372093721';

const pixelData = 0x7fe00010;

/** 16 bytes that no other identifier has, for each name. */
export type DrawBytes = (name: 'series' | 'instance' | 'dimensions' | 'space') => Uint8Array;

/** Collects the slices of a segmentation of DICOM, and makes its file of them. */
export class DicomSegFrames {
  private readonly seg: DicomSegFile;
  private readonly bits: BitFrames | undefined;
  private readonly labels: Uint8Array[] = [];

  /** Throws ImagingError where the grid is not that of the series, or for names that DICOM cannot hold. */
  constructor(file: string, seg: DicomSegFile) {
    checkGrid(file, seg);
    checkTexts(file, seg.series, seg.segments);
    this.seg = seg;
    if (seg.kind === 'dicom-seg') this.bits = new BitFrames(this.plane, seg.segments);
  }

  private get plane(): number {
    const [, rows, columns] = this.seg.grid.shape;
    return rows * columns;
  }

  /** Takes the labels of the next slice. */
  add(slice: Uint8Array): void {
    if (this.bits !== undefined) this.bits.add(slice);
    else this.labels.push(Uint8Array.from(slice));
  }

  /** The bytes of the file, in pieces; `draw`: given the pixels, what identifiers are made of. */
  end(draw: (pixels: readonly Uint8Array[]) => DrawBytes): Uint8Array[] {
    const { seg } = this;
    const { frames, pixels } = this.bits?.end() ?? wholeSlices(this.labels, this.plane);
    const drawn = draw(pixels);
    const ids = {
      series: uidOf(drawn('series')),
      instance: uidOf(drawn('instance')),
      dimensions: uidOf(drawn('dimensions')),
      frameOfReference: uidOf(drawn('space')),
    };
    const length = pixels.reduce((sum, part) => sum + part.length, 0);
    return [
      encodeMeta(segClass(seg.kind), ids.instance, implementation),
      encodeDataSet(segDataSet(seg, frames, ids, madeAt(seg.date))),
      longHead(pixelData, 'OB', length),
      ...pixels,
    ];
  }
}

function wholeSlices(slices: readonly Uint8Array[], plane: number): SegPixels {
  const odd = (slices.length * plane) % 2 === 1;
  return {
    frames: slices.map((_, slice) => ({ slice })),
    pixels: odd ? [...slices, new Uint8Array(1)] : slices,
  };
}

/** Day and time (DA, TM) of now, here, or of a date in UTC. */
function madeAt(date: Date | undefined): { readonly day: string; readonly time: string } {
  const now = new Date();
  const shown = date ?? new Date(now.getTime() - 60_000 * now.getTimezoneOffset());
  const digits = shown.toISOString().replaceAll(/[^0-9]/g, '');
  return { day: digits.slice(0, 8), time: digits.slice(8, 14) };
}

/** A UUID of 128 bits, of version 8 (RFC 9562), as a UID. */
function uidOf(drawn: Uint8Array): string {
  const bytes = Uint8Array.from(drawn);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return `2.25.${[...bytes].reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)}`;
}

function checkGrid(file: string, { grid, series }: DicomSegFile): void {
  if (sameGrid(grid, series)) return;
  throw new ImagingError({
    file,
    field: 'geometry',
    expected: `the grid of the series (${describeGrid(series)})`,
    found: describeGrid(grid),
    hint: 'A DICOM segmentation lies on the slices of its series.',
  });
}
