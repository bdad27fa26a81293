import { ImagingError } from '../../volume/errors.ts';
import { findFrames } from './dicom-encapsulated.ts';
import type { DicomFile } from './dicom-file.ts';
import {
  checkGroups,
  checkOutside,
  type FailFrame,
  kindOf,
  outside,
  scalingOf,
} from './dicom-frame-groups.ts';
import { FrameGroups, type Group, planeOf } from './dicom-groups.ts';
import { frameMarks } from './dicom-marks.ts';
import { type DicomSlice, type FramePlace, type FramesImage, imageOf, sliceOf } from './dicom-slice.ts';

// Enhanced images: all slices of a scan in one file, or in few, whose attributes lie in functional groups (PS3.3, A.36, A.38, A.56, A.70).

/** Enhanced CT, MR and PET Image Storage, and such that were converted from single slices. */
const classes = new Set([
  '1.2.840.10008.5.1.4.1.1.2.1',
  '1.2.840.10008.5.1.4.1.1.2.2',
  '1.2.840.10008.5.1.4.1.1.4.1',
  '1.2.840.10008.5.1.4.1.1.4.4',
  '1.2.840.10008.5.1.4.1.1.128.1',
  '1.2.840.10008.5.1.4.1.1.130',
]);

const hint = 'Convert the file to NIfTI or to a series of slices, for example with dcm2niix.';

/** Whether a file has functional groups. */
export const isEnhanced = ({ data }: DicomFile): boolean => data.has('x52009229') || data.has('x52009230');

/** The slices of a file: one, or of an enhanced image its frames in their order. Throws ImagingError for what no slice of a scan has. */
export async function slicesOf(source: DicomFile): Promise<readonly DicomSlice[]> {
  return isEnhanced(source) ? framesOf(source) : [await sliceOf(source)];
}

async function framesOf(source: DicomFile): Promise<readonly DicomSlice[]> {
  const { file, data } = source;
  const fail: FailFrame = (field, expected, found, other = hint) => {
    throw new ImagingError({ file, field, expected, found: found.slice(0, 120), hint: other });
  };
  const sopClass = data.text('x00080016');
  if (!classes.has(sopClass))
    fail('SOP Class UID', 'an enhanced CT, MR or PET image', sopClass || 'nothing (with functional groups)');
  const image = imageOf(source);
  const groups = new FrameGroups(file, data);
  const places = await placesOf(source, image, groups.frames, fail);
  const need = (group: Group, n: number) =>
    groups.find(group, n) ?? outside(data, group) ?? groups.need(group, n);
  return places.map((place, n) => {
    checkGroups(groups, n, fail);
    checkOutside(data, groups, n, fail);
    const measures = need('measures', n);
    return {
      ...image,
      ...planeOf(file, need('position', n), need('orientation', n), measures, n + 1),
      ...scalingOf(data, groups, n, fail),
      ...{ place, frame: n + 1, thickness: measures.decimal('x00180050') },
      marks: frameMarks(data, groups, n, kindOf(groups, n, fail)),
    };
  });
}

/** Where the pixels of each frame are. */
async function placesOf(
  { files, file, pixels, packedAt, syntax }: DicomFile,
  { rows, columns, pixels: { bytes } }: FramesImage,
  frames: number,
  fail: FailFrame,
): Promise<readonly FramePlace[]> {
  if (packedAt !== undefined) {
    const found = await findFrames(files, file, packedAt, frames);
    return found.map((fragments) => ({ fragments, syntax }));
  }
  const length = rows * columns * bytes;
  // One byte may be added to make the length even.
  const rest = (pixels?.length ?? 0) - frames * length;
  if (pixels === undefined || rest < 0 || rest > 1) {
    const expected = `${frames * length} bytes (${frames} frames of ${columns} x ${rows})`;
    return fail('Pixel Data', expected, `${pixels?.length ?? 0}`, 'The file is damaged: copy it again.');
  }
  // Each frame would have to be unpacked from the first on.
  if (pixels.deflatedFrom !== undefined && frames > 1)
    fail('Transfer Syntax', 'frames as they are, or each compressed', 'all frames deflated together');
  return Array.from({ length: frames }, (_, n) => ({
    offset: pixels.offset + n * length,
    length,
    deflatedFrom: pixels.deflatedFrom,
  }));
}

/** Throws ImagingError where files are parts of one image (a concatenation) and some are missing. */
export function checkConcatenations(files: readonly DicomFile[]): void {
  const parts = new Map<string, DicomFile[]>();
  for (const file of files) {
    const uid = file.data.text('x00209161');
    if (uid === '') continue;
    const list = parts.get(uid);
    if (list === undefined) parts.set(uid, [file]);
    else list.push(file);
  }
  for (const [first, ...others] of parts.values()) {
    const numbers = new Set([first, ...others].map(({ data }) => data.uint16('x00209162')));
    const total = first.data.uint16('x00209163') ?? Math.max(...[...numbers].map((number) => number ?? 0));
    if (numbers.size === total) continue;
    const [expected, found] = [`all ${total} parts of the image`, `${numbers.size}`];
    const more = 'Copy the missing files into the folder.';
    throw new ImagingError({ file: first.file, field: 'Concatenation UID', expected, found, hint: more });
  }
}
