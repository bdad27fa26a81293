import { writeTextAtomically } from '../../../files/index.ts';
import type { BoxWriter } from '../../../imaging/formats/segmentation/picture-labels.ts';
import {
  type ChannelFile,
  type Grid,
  isDicomFormat,
  isPictureLabelFormat,
  type LabelFormat,
  type Segment,
  type SliceWriter,
} from '../../../imaging/index.ts';
import { CLASS_HEX } from '../../config/class-colors.ts';
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
  /** For pictures: whether outlines are written too. */
  readonly outlines?: boolean;
}

/** A label map that can be begun. */
export interface LabelTarget {
  readonly begin: () => Promise<SliceWriter>;
  /** The same in boxes that come in any order; absent for volumes. */
  readonly beginBoxes?: () => Promise<BoxWriter>;
}

/** Finds what a label map needs, such as the slices that one of DICOM refers to, and loads its writer. Throws ImagingError where that is not there. */
export async function labelTarget(output: string, options: LabelOptions): Promise<LabelTarget> {
  const { format, input, channels, original: grid, segments, labelNames, date } = options;
  const scan = channels?.[0].file ?? input;
  const series = isDicomFormat(format)
    ? await (await import('../../../imaging/formats/segmentation/segmented-series.ts')).openSegmentedSeries(
        output,
        scan,
        {
          ...{ series: options.series, volume: channels?.[0].volume },
          ...(options.resampleTilt && { lean: 'keep' }),
        },
        segments,
      )
    : undefined;
  if (isPictureLabelFormat(format)) {
    const { checkPicture, createPictureLabels } = await import(
      '../../../imaging/formats/segmentation/picture-labels.ts'
    );
    checkPicture(output, grid);
    const colours = new Map(segments.map(({ value }, n) => [value, colourOf(n)]));
    const outlines = options.outlines ? outlinesFile(output) : undefined;
    const beginBoxes = () => createPictureLabels(output, { grid, segments, colours, outlines });
    return { begin: beginBoxes, beginBoxes };
  }
  const { createLabelWriter } = await import('../../../imaging/formats/segmentation/label-writer.ts');
  const begin = () => createLabelWriter(output, { format, grid, segments, labelNames, series, date });
  return { begin };
}

/** Red, green and blue that the nth class above the background is drawn in. */
function colourOf(n: number): readonly [number, number, number] {
  const hex = Number.parseInt(CLASS_HEX[n % CLASS_HEX.length][1].slice(1), 16);
  return [hex >> 16, (hex >> 8) & 255, hex & 255];
}

/** The file with the outlines of a label map. */
export const outlinesFile = (output: string): string => `${outputStem(output)}.geojson`;

/** The file with the names of a label map's labels. */
export const labelNamesFile = (output: string): string => `${outputStem(output)}_labels.txt`;

export async function writeLabelNames(output: string, segments: readonly Segment[]): Promise<void> {
  const { labelDescription } = await import('../../../imaging/formats/segmentation/segments.ts');
  return writeTextAtomically(labelNamesFile(output), labelDescription(segments));
}
