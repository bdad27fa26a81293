import type { Command } from 'commander';
import { FLIP_AXES, type FlipAxis } from '../../train/config/choices.ts';
import type { Cleaning } from '../../train/predict/cleaning.ts';
import { oneOf, positive, valuesOf, words } from './parse.ts';

// Flags of how scans are segmented and what is done to segmentations, the same for `predict` and `evaluate`.

/** What the flags give. */
export interface SegmentFlags extends Cleaning {
  /** True where the flag names no axes. */
  readonly flips?: true | readonly FlipAxis[];
}

/** The mean over mirrored scans. */
export function addFlipsFlag(command: Command): Command {
  return command.option(
    '--flips [axes]',
    'segment mirrored scans too and take the mean of the probabilities: depth,height,width (default: all three, 8 passes)',
    (text: string): readonly FlipAxis[] => words('--flips')(text).map(oneOf('--flips', FLIP_AXES)),
  );
}

/** What is done to a segmentation, in the order of the flags. */
export function addCleaningFlags(command: Command): Command {
  return command
    .option(
      '--largest-component <classes>',
      'keep the largest connected part only; liver+tumour takes both as one',
      words('--largest-component'),
    )
    .option('--fill-holes <classes>', 'background that a class encloses becomes it', words('--fill-holes'))
    .option(
      '--inside <lesion=organ>',
      'lesions stay only in their organ, such as tumour=liver',
      valuesOf('--inside', 'tumour=liver', (text) => text),
    )
    .option(
      '--min-size <class=mm3>',
      'smaller parts go, such as tumour=50',
      valuesOf('--min-size', 'tumour=50', positive('--min-size', ' (mm^3)')),
    );
}

/** The flags in the words of the library, and what is left. */
export function segmentOptions<T extends SegmentFlags>(flags: T) {
  const { largestComponent, fillHoles, inside, minSize, flips: turned, ...rest } = flags;
  const flips = turned === true ? FLIP_AXES : turned;
  return { flips, cleaning: { largestComponent, fillHoles, inside, minSize }, rest };
}
