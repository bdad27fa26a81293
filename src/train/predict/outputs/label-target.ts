import { writeTextAtomically } from '../../../files/index.ts';
import {
  type ChannelFile,
  type Grid,
  isDicomFormat,
  type LabelFormat,
  type Segment,
  type SliceWriter,
} from '../../../imaging/index.ts';
import { outputStem } from '../probabilities.ts';

/** What is known of a label map before a scan is segmented. */
export interface LabelOptions {
  readonly format: LabelFormat;
  /** The scan, and the files of its channels where there are several. */
  readonly input: string;
  readonly channels?: readonly ChannelFile[];
  readonly series?: string;
  /** Whether the axes of the scan may lean. */
  readonly resampleTilt?: boolean;
  /** The grid of the scan. */
  readonly original: Grid;
  readonly segments: readonly Segment[];
  readonly labelNames?: boolean;
  readonly date?: Date;
}

/** A label map that can be begun. */
export interface LabelTarget {
  readonly begin: () => Promise<SliceWriter>;
}

/** All classes but the background, with the values that they have in label maps. */
export function segmentsOf(
  classes: readonly string[],
  values: readonly number[] | undefined,
): readonly Segment[] {
  return classes
    .map((name, cls) => ({ name, value: values?.[cls] ?? cls }))
    .filter(({ value }) => value !== 0);
}

/** Finds what a label map needs, such as the slices that one of DICOM refers to, and loads its writer. Throws ImagingError where that is not there. */
export async function labelTarget(output: string, options: LabelOptions): Promise<LabelTarget> {
  const { format, input, channels, original: grid, segments, labelNames, date } = options;
  const scan = channels?.[0].file ?? input;
  const series = isDicomFormat(format)
    ? await (await import('../../../imaging/formats/segmentation/segmented-series.ts')).openSegmentedSeries(
        output,
        scan,
        { series: options.series, ...(options.resampleTilt && { lean: 'keep' }) },
        segments,
      )
    : undefined;
  const { createLabelWriter } = await import('../../../imaging/formats/segmentation/label-writer.ts');
  const begin = () => createLabelWriter(output, { format, grid, segments, labelNames, series, date });
  return { begin };
}

/** The file with the names of a label map's labels. */
export const labelNamesFile = (output: string): string => `${outputStem(output)}_labels.txt`;

export async function writeLabelNames(output: string, segments: readonly Segment[]): Promise<void> {
  const { labelDescription } = await import('../../../imaging/formats/segmentation/segments.ts');
  return writeTextAtomically(labelNamesFile(output), labelDescription(segments));
}
