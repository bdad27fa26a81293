import { type ImportOptions, importNnunet } from '../../exchange/index.ts';
import { stagesOf } from '../../train/index.ts';
import { say } from '../terminal/say.ts';
import { commandName, quoted, relative } from '../terminal/words.ts';

export type Flags = ImportOptions;

/** Runs `halomesh import`. */
export async function importAction(flags: Flags): Promise<void> {
  const { run, file, configuration, config, weights } = await importNnunet(flags);
  const { classes = [], spacing } = config;
  const voxels = typeof spacing === 'object' ? spacing.join(' x ') : `${spacing}`;
  say(`${relative(file)}: ${configuration}, ${stagesOf(config)?.length} resolutions, ${weights} weights`);
  say(`classes ${classes.join(', ')}; voxels of ${voxels} mm`);
  say(`written to ${relative(run)}`);
  say(
    `Segment with it: ${commandName()} predict --run ${quoted(relative(run))} --input SCAN --output LABELS.nii.gz`,
  );
}
