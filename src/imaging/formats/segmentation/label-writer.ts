import { finished } from 'node:stream/promises';
import { createDeflate } from 'node:zlib';
import { ImagingError } from '../../volume/errors.ts';
import { checkShape, type Grid, type VoxelArray } from '../../volume/volume.ts';
import { createByteWriter, LABEL_LEVEL, type SliceWriter, sliceWriter } from '../byte-writer.ts';
import type { SeriesStack } from '../dicom/dicom-series.ts';
import { toElements } from '../nifti/nifti-encode.ts';
import { createNiftiWriter } from '../nifti/nifti-write.ts';
import { createDicomSegWriter } from './dicom-seg-writer.ts';
import type { LabelFormat } from './label-formats.ts';
import { createPictureLabels } from './picture-labels.ts';
import { labelsAsJson, type Segment } from './segments.ts';
import { metaImageHeader, nrrdHeader } from './text-headers.ts';

/** A label map that is to be written. */
export interface LabelFile {
  readonly format: LabelFormat;
  readonly grid: Grid;
  /** All classes but the background, which is 0. */
  readonly segments: readonly Segment[];
  /** Whether a NIfTI file holds the names of its labels, in an extension; `.seg.nrrd` and DICOM always do. */
  readonly labelNames?: boolean;
  /** The series that the labels are of, for DICOM. */
  readonly series?: SeriesStack;
  /** For DICOM: the time that it says it was made. With one all is the same each time, identifiers too. */
  readonly date?: Date;
}

/**
 * Begins a label map of bytes in one of the formats, which takes its slices in the order of its grid. Throws ImagingError, after which
 * nothing of the file is left.
 */
export async function createLabelWriter(file: string, label: LabelFile): Promise<SliceWriter> {
  const { format, grid, segments, labelNames, series, date } = label;
  checkShape(grid.shape);
  switch (format) {
    case 'nifti': {
      const comment = labelNames ? labelsAsJson(segments) : undefined;
      return createNiftiWriter(file, grid, { type: 'uint8', gzipLevel: LABEL_LEVEL, comment });
    }
    case 'nrrd':
    case 'seg-nrrd': {
      const header = nrrdHeader(grid, format === 'nrrd' ? undefined : segments);
      const head = new TextEncoder().encode(header);
      const bytes = await createByteWriter(file, { head, gzipLevel: LABEL_LEVEL });
      return sliceWriter(file, bytes, { shape: grid.shape, encode: asBytes(file) });
    }
    case 'tiff':
      return createPictureLabels(file, label);
    case 'mha':
      return createMetaImageWriter(file, grid);
    case 'dicom-seg':
    case 'dicom-labelmap':
      if (series === undefined) throw needsSeries(file);
      return createDicomSegWriter(file, { kind: format, grid, segments, series, date });
    default:
      format satisfies never;
      throw new TypeError(`unreachable: ${format}`);
  }
}

/** What a label map of DICOM is refused with where its scan is none. */
export const needsSeries = (file: string): ImagingError =>
  new ImagingError({
    file,
    field: 'output',
    expected: 'a DICOM series as the input of a DICOM segmentation, which refers to its slices',
    found: 'a scan of another format',
    hint: 'Write .nii.gz, .nrrd, .seg.nrrd or .mha.',
  });

const asBytes =
  (file: string) =>
  (voxels: VoxelArray): Uint8Array =>
    toElements(voxels, 'uint8', file) as Uint8Array;

/** The header of a MetaImage says how many packed bytes follow: they wait in memory, where labels take a hundredth of their voxels. */
async function createMetaImageWriter(file: string, grid: Grid): Promise<SliceWriter> {
  const bytes = await createByteWriter(file);
  const deflate = createDeflate({ level: LABEL_LEVEL, chunkSize: 1 << 17 });
  const parts: Buffer[] = [];
  deflate.on('data', (part: Buffer) => parts.push(part));
  const packed = finished(deflate);
  packed.catch(() => {}); // reported by the call that waits for it
  const encode = asBytes(file);
  const collected = {
    async write(slice: Uint8Array) {
      // The array is used again when this resolves.
      await new Promise<void>((resolve, reject) => {
        deflate.write(slice, (error) => (error ? reject(error) : resolve()));
      });
    },
    async finish() {
      deflate.end();
      await packed;
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      await bytes.write(new TextEncoder().encode(metaImageHeader(grid, length)));
      for (const part of parts) await bytes.write(part);
      await bytes.finish();
    },
    async abort() {
      deflate.destroy();
      await bytes.abort();
    },
  };
  return sliceWriter(file, collected, { shape: grid.shape, encode });
}
