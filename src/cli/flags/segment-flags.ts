import type { Command } from 'commander';
import { FLIP_AXES, type FlipAxis } from '../../train/config/choices.ts';
import type { Cleaning } from '../../train/predict/cleaning.ts';
import { oneOf, positive, valuesOf, words } from './parse.ts';

// Flags of how scans are segmented and what is done to segmentations, the same for `predict` and `evaluate`.

/** What the flags give. */
export interface SegmentFlags extends Cleaning {
  /** True where the flag names no axes. */
  readonly flips?: true | readonly FlipAxis[];
  /** One patch over all of a scan, of an imported run. */
  readonly wholeVolume?: boolean;
}

/** The mean over mirrored scans. */
export function addFlipsFlag(command: Command): Command {
  return command.option(
    '--flips [axes]',
    'segment mirrored scans too and take the mean of the probabilities: depth,height,width (default: all three, 8 passes); none of them: none',
    (text: string): readonly FlipAxis[] =>
      text.trim() === 'none' ? [] : words('--flips')(text).map(oneOf('--flips', FLIP_AXES)),
  );
}

/** How an imported run sees scans. */
export function addWholeVolumeFlag(command: Command): Command {
  return command.option(
    '--whole-volume',
    'of a run imported from nnU-Net: see the whole scan at once in place of patches',
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
