import { createHash, randomUUID } from 'node:crypto';
import { ImagingError } from '../../volume/errors.ts';
import { describeGrid, sameGrid, type VoxelArray } from '../../volume/volume.ts';
import { createByteWriter, type SliceWriter, sliceWriter } from '../byte-writer.ts';
import { encodeDataSet, encodeMeta, longHead } from '../dicom/dicom-encode.ts';
import { toElements } from '../nifti/nifti-encode.ts';
import { BitFrames } from './bit-frames.ts';
import {
  type DicomSegFile,
  type Identifiers,
  type SegPixels,
  segClass,
  segDataSet,
} from './dicom-seg-data.ts';
import { checkTexts } from './dicom-seg-texts.ts';

/** The class of programs that write such files: a UUID of our own, as a UID (PS3.5, B.2). */
const implementation = '2.25.176340265327146158417104396829372093721';

const pixelData = 0x7fe00010;

/**
 * Begins a segmentation of DICOM on the slices of a series: frames lie where these lie, and refer to them. Frames wait in memory, those
 * of bits without empty ones: 1 bit a voxel of the slices with a segment, else a byte a voxel. Throws ImagingError where the grid is another
 * one, or for names that DICOM cannot hold.
 */
export async function createDicomSegWriter(file: string, seg: DicomSegFile): Promise<SliceWriter> {
  checkGrid(file, seg);
  checkTexts(file, seg.series, seg.segments);
  const bytes = await createByteWriter(file);
  const [, rows, columns] = seg.grid.shape;
  const frames = seg.kind === 'dicom-seg' ? new BitFrames(rows * columns, seg.segments) : undefined;
  const labels: Uint8Array[] = [];
  const collected = {
    write: async (slice: Uint8Array) => {
      if (frames !== undefined) frames.add(slice);
      else labels.push(Uint8Array.from(slice));
    },
    async finish() {
      const found = frames?.end() ?? wholeSlices(labels, rows * columns);
      const ids = identifiers(seg, found.pixels);
      const data = encodeDataSet(segDataSet(seg, found.frames, ids, madeAt(seg.date)));
      await bytes.write(encodeMeta(segClass(seg.kind), ids.instance, implementation));
      await bytes.write(data);
      const length = found.pixels.reduce((sum, part) => sum + part.length, 0);
      await bytes.write(longHead(pixelData, 'OB', length));
      for (const part of found.pixels) await bytes.write(part);
      await bytes.finish();
    },
    abort: () => bytes.abort(),
  };
  const encode = (voxels: VoxelArray) => toElements(voxels, 'uint8', file) as Uint8Array;
  return sliceWriter(file, collected, { shape: seg.grid.shape, encode });
}

function wholeSlices(slices: readonly Uint8Array[], plane: number): SegPixels {
  const odd = (slices.length * plane) % 2 === 1;
  return {
    frames: slices.map((_, slice) => ({ slice })),
    pixels: odd ? [...slices, new Uint8Array(1)] : slices,
  };
}

/**
 * New identifiers, derived from a UUID (2.25...). With a date they follow from what is written alone, so that the same segmentation has
 * the same ones; without one they are new each time.
 */
function identifiers(
  { kind, segments, series, date }: DicomSegFile,
  pixels: readonly Uint8Array[],
): Identifiers {
  const hash = createHash('sha256');
  const sources = series.ordered.map(({ sopInstance }) => sopInstance);
  hash.update(JSON.stringify([kind, segments, sources, date?.toISOString() ?? randomUUID()]));
  for (const part of pixels) hash.update(part);
  const seed = hash.digest();
  const named = (name: string) => uidOf(createHash('sha256').update(seed).update(name).digest());
  return {
    series: named('series'),
    instance: named('instance'),
    dimensions: named('dimensions'),
    frameOfReference: named('space'),
  };
}

/** Day and time (DA, TM) of now, here, or of a date in UTC. */
function madeAt(date: Date | undefined): { readonly day: string; readonly time: string } {
  const now = new Date();
  const shown = date ?? new Date(now.getTime() - 60_000 * now.getTimezoneOffset());
  const digits = shown.toISOString().replaceAll(/[^0-9]/g, '');
  return { day: digits.slice(0, 8), time: digits.slice(8, 14) };
}

/** A UUID of 128 bits of a hash, of version 8 (RFC 9562), as a UID. */
function uidOf(hash: Buffer): string {
  const bytes = Buffer.from(hash.subarray(0, 16));
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${bytes.toString('hex')}`)}`;
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
