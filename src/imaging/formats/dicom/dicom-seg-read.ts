import { affineColumn, type Vector3 } from '../../volume/affine.ts';
import { ImagingError } from '../../volume/errors.ts';
import {
  defaultMaxBytes,
  type OpenScan,
  type ScanReadOptions,
  type SlabSink,
} from '../../volume/scan-types.ts';
import type { Grid, Shape3, VoxelArray } from '../../volume/volume.ts';
import { affineFromLps } from '../raw-voxels.ts';
import type { ScanFiles } from '../scan-files.ts';
import { type DicomFile, readDicomFile, readPlain } from './dicom-file.ts';
import { FrameGroups, type Plane, planeOf } from './dicom-groups.ts';
import { areAlike, dot, minus, mostLean, normalOf, sameMm, scaled } from './dicom-stack.ts';

// Segmentations of DICOM: frames of bits, one for each segment and slice, or of labels. Frames without voxels may be left out.

/** A frame: where it lies, and which label its bits mean. */
interface SegFrame extends Plane {
  readonly rows: number;
  readonly columns: number;
  readonly segment: number;
}

/** Frames by slice, and the grid of the slices. */
interface SegSlices {
  readonly shape: Shape3;
  /** Numbers of the frames of each slice. */
  readonly frames: ReadonlyMap<number, readonly number[]>;
  /** From slice to slice and of the first one's first voxel, in LPS mm. */
  readonly step: Vector3;
  readonly origin: Vector3;
}

/** Slices of a segmentation, with those that are left out: more is damage. */
const mostSlices = 1 << 15;

/**
 * Opens a segmentation as a label map, whose values are the numbers of its segments. Slices without frames are 0; where `options.onto` is
 * the grid of the image, those before the first frame and behind the last are there too. Throws ImagingError for fractions, segments that
 * overlap (when they are read), and frames that form no even stack.
 */
export async function openDicomSeg(
  files: ScanFiles,
  file: string,
  options: ScanReadOptions,
): Promise<OpenScan> {
  const source = await readDicomFile(files, file, { whole: true });
  const fail = (field: string, expected: string, found: string, hint?: string): never => {
    throw new ImagingError({ file, field, expected, found: found.slice(0, 120), hint });
  };
  if (source === undefined) return fail('path', 'a file of DICOM', 'something else');
  const { data } = source;
  const kind = data.text('x00620001');
  if (kind !== 'BINARY' && kind !== 'LABELMAP') {
    const hint = 'Save the segmentation again as BINARY or LABELMAP, or as NIfTI.';
    fail('Segmentation Type', 'BINARY or LABELMAP', kind || 'nothing', hint);
  }
  const isBits = kind === 'BINARY';
  const bits = data.uint16('x00280100') ?? 0;
  if (bits !== (isBits ? 1 : 8)) fail('Bits Allocated', isBits ? '1' : '8', `${bits}`);
  if (source.pixels === undefined || source.syntax === '1.2.840.10008.1.2.2') {
    const hint = 'Decompress the file first, for example with gdcmconv --raw.';
    const found = source.unreadable ?? (source.packedAt === undefined ? source.syntax : 'compressed pixels');
    return fail('Transfer Syntax', 'pixels as they are, in little endian', found, hint);
  }
  const groups = new FrameGroups(file, data);
  const [rows, columns] = [data.uint16('x00280010') ?? 0, data.uint16('x00280011') ?? 0];
  if (rows === 0 || columns === 0) fail('Rows, Columns', 'positive numbers', `${rows}, ${columns}`);
  const needed = Math.ceil((groups.frames * rows * columns) / (isBits ? 8 : 1));
  if (source.pixels.length < needed)
    fail('Pixel Data', `${needed} bytes of ${groups.frames} frames`, `${source.pixels.length}`);
  const frames = Array.from({ length: groups.frames }, (_, n) => ({
    ...planeOf(file, groups.need('position', n), groups.need('orientation', n), groups.need('measures', n)),
    ...{ rows, columns, segment: isBits ? segmentOf(groups, n, fail) : 0 },
  }));
  const slices = slicesOf(file, frames, groups, options);
  const { shape, origin, step } = slices;
  const most = options.maxBytes ?? defaultMaxBytes;
  const bytes = shape[0] * rows * columns;
  if (bytes > most) fail('slices', `at most ${most} bytes of voxels`, `${bytes} bytes`);
  const { alongRow, alongColumn, columnSpacing, rowSpacing } = frames[0];
  const axes = [scaled(alongRow, columnSpacing), scaled(alongColumn, rowSpacing), step];
  const affine = affineFromLps(axes, origin);
  return {
    header: { file, format: 'DICOM', shape, affine, type: 'uint8', slope: 1, intercept: 0, oriented: true },
    read: (slab, _, take) => readFrames({ source, isBits, frames, slices }, slab, take),
    close: async () => {},
  };
}

function segmentOf(
  groups: FrameGroups,
  n: number,
  fail: (field: string, expected: string, found: string) => never,
): number {
  const number = groups.need('segment', n).uint16('x0062000b');
  if (number !== undefined && number > 0 && number < 256) return number;
  return fail('Referenced Segment Number', 'a number from 1 to 255', `${number ?? 'nothing'}`);
}

/** Puts frames on even slices. Throws ImagingError where they are none. */
function slicesOf(
  file: string,
  frames: readonly SegFrame[],
  groups: FrameGroups,
  { onto, lean }: ScanReadOptions,
): SegSlices {
  const fail = (field: string, expected: string, found: string): never => {
    const hint = 'Save the segmentation again on the slices of its image, or as NIfTI.';
    throw new ImagingError({ file, field, expected, found, hint });
  };
  const [first] = frames;
  const normal = normalOf(first);
  if (frames.some((frame) => !areAlike(frame, first)))
    fail('Image Orientation, Pixel Spacing', 'those of the first frame in all', 'others');
  const image = onto === undefined ? undefined : axisAlong(onto, normal);
  const heights = frames.map(({ position }) => dot(minus(position, first.position), normal));
  const spacing = image === undefined ? spacingOf(heights, groups) : dot(image.step, normal);
  const own = stepOf(frames, heights, spacing, normal);
  // Slices that lean are brought to an upright image as they were made: aside of each other.
  const step = image === undefined || (lean === 'resample' && leansFrom(own, normal)) ? own : image.step;
  const rise = dot(step, normal);
  const places = heights.map((height, n) => {
    const place = Math.round(height / rise);
    const off = minus(minus(frames[n].position, first.position), scaled(step, place));
    if (Math.hypot(...off) < 0.1 * Math.min(rise, first.rowSpacing, first.columnSpacing) + sameMm)
      return place;
    const found = `frame ${n + 1} ${Math.hypot(...off).toFixed(3)} mm beside them`;
    return fail('Image Position (Patient)', `frames on slices ${rise.toFixed(3)} mm apart`, found);
  });
  let [low, high] = places.reduce(([least, most], p) => [Math.min(least, p), Math.max(most, p)], [0, 0]);
  for (const end of image?.ends ?? []) {
    const place = Math.round(dot(minus(end, first.position), normal) / rise);
    [low, high] = [Math.min(low, place), Math.max(high, place)];
  }
  const count = high - low + 1;
  if (count > mostSlices) fail('Image Position (Patient)', `at most ${mostSlices} slices`, `${count}`);
  const bySlice = new Map<number, number[]>();
  for (const [n, place] of places.entries()) {
    const list = bySlice.get(place - low);
    if (list === undefined) bySlice.set(place - low, [n]);
    else list.push(n);
  }
  const [x, y, z] = scaled(step, low);
  const [px, py, pz] = first.position;
  return {
    shape: [count, first.rows, first.columns],
    frames: bySlice,
    step,
    origin: [px + x, py + y, pz + z],
  };
}

/** The step to the next slice: along the line to the farthest frame, which may lean a little. */
function stepOf(
  frames: readonly SegFrame[],
  heights: readonly number[],
  spacing: number,
  normal: Vector3,
): Vector3 {
  const far = heights.reduce((most, height, n) => (Math.abs(height) > Math.abs(heights[most]) ? n : most), 0);
  if (Math.abs(heights[far]) < sameMm) return scaled(normal, spacing);
  return scaled(minus(frames[far].position, frames[0].position), spacing / heights[far]);
}

/** Whether a step leans from a normal by more than half a degree. */
function leansFrom(step: Vector3, normal: Vector3): boolean {
  const rise = dot(step, normal);
  return Math.hypot(...minus(step, scaled(normal, rise))) > mostLean * Math.abs(rise);
}

/** The distance of slices in mm: what frames say, where their heights agree with it, else their least distance. */
function spacingOf(heights: readonly number[], groups: FrameGroups): number {
  const sorted = heights.toSorted((a, b) => a - b);
  const gaps = sorted
    .slice(1)
    .map((height, n) => height - sorted[n])
    .filter((gap) => gap > sameMm);
  const said = groups.find('measures', 0)?.decimal('x00180088') ?? Number.NaN;
  const thickness = groups.find('measures', 0)?.decimal('x00180050') ?? Number.NaN;
  if (gaps.length === 0) return said > 0 ? said : thickness > 0 ? thickness : 1;
  const least = Math.min(...gaps);
  const share = least / said;
  return said > 0 && share > 0.9 && Math.abs(share - Math.round(share)) < 0.01 ? said : least;
}

/** The axis of an image that runs along a normal: its step in that direction, and its first and last slice; all in LPS mm. */
function axisAlong(
  { affine, shape }: Grid,
  normal: Vector3,
): { readonly step: Vector3; readonly ends: readonly Vector3[] } | undefined {
  const lps = ([x, y, z]: Vector3): Vector3 => [-x, -y, z];
  const origin = lps([affine[3], affine[7], affine[11]]);
  for (const axis of [0, 1, 2] as const) {
    const column = lps(affineColumn(affine, axis));
    const along = dot(column, normal);
    if (Math.abs(along) < 0.9998 * Math.hypot(...column)) continue;
    const last = scaled(column, shape[2 - axis] - 1);
    const end: Vector3 = [origin[0] + last[0], origin[1] + last[1], origin[2] + last[2]];
    // A corner may lie aside of the frames' own; its height is what counts.
    return { step: scaled(column, Math.sign(along)), ends: [origin, end] };
  }
  return undefined;
}

interface OpenSeg {
  readonly source: DicomFile;
  readonly isBits: boolean;
  readonly frames: readonly SegFrame[];
  readonly slices: SegSlices;
}

async function readFrames(seg: OpenSeg, slab: VoxelArray, take: SlabSink<unknown>['take']): Promise<void> {
  const [depth, rows, columns] = seg.slices.shape;
  const plane = rows * columns;
  const most = Math.floor(slab.length / plane);
  for (let first = 0; first < depth; first += most) {
    const count = Math.min(most, depth - first);
    const voxels = slab.subarray(0, count * plane).fill(0);
    for (let k = 0; k < count; k++)
      for (const n of seg.slices.frames.get(first + k) ?? [])
        await putFrame(seg, n, voxels.subarray(k * plane, (k + 1) * plane));
    take(voxels, first);
  }
}

/** Adds the voxels of a frame to those of its slice. */
async function putFrame({ source, isBits, frames }: OpenSeg, n: number, out: VoxelArray): Promise<void> {
  const { files, file, pixels } = source;
  const start = isBits ? Math.floor((n * out.length) / 8) : n * out.length;
  const bit = isBits ? (n * out.length) % 8 : 0;
  const bytes = isBits ? Math.ceil((bit + out.length) / 8) : out.length;
  const place = { ...pixels!, offset: pixels!.offset + start };
  const stored = await readPlain({ files, file, pixels: place }, bytes);
  const { segment } = frames[n];
  for (let i = 0; i < out.length; i++) {
    const at = bit + i;
    const label = !isBits ? stored[i] : (stored[at >> 3] >> (at & 7)) & 1 ? segment : 0;
    if (label === 0) continue;
    if (out[i] !== 0 && out[i] !== label) {
      const hint = 'A label map has one label at a voxel: save segments that overlap in files of their own.';
      const found = `segments ${out[i]} and ${label} at one voxel (frame ${n + 1})`;
      throw new ImagingError({ file, field: 'segments', expected: 'ones that do not overlap', found, hint });
    }
    out[i] = label;
  }
}
