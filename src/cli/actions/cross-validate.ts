import path from 'node:path';
import { crossMarkdown, crossValidate, resolveConfig, settingIn } from '../../train/index.ts';
import { givenConfig, need } from '../flags/given.ts';
import type { TrainFlags } from '../flags/train-flags.ts';
import { endsOnSignals } from '../terminal/interrupt.ts';
import { say } from '../terminal/say.ts';
import { onUsable } from '../terminal/usable-device.ts';
import { relative } from '../terminal/words.ts';
import { runTraining } from './train.ts';

export interface Flags extends TrainFlags {
  readonly folds?: number;
  readonly surfaces: boolean;
}

/** Runs `halomesh cross-validate`. */
export async function crossValidateAction({ folds, surfaces, ...flags }: Flags): Promise<void> {
  const { given, nameOf } = givenConfig(flags);
  need(given, 'out', 'the folder of all folds');
  need(given, 'data', 'the folder of a data set');
  // A file of splits holds several, of which none is chosen.
  const config = onUsable(resolveConfig(given, nameOf(settingIn('config'))), given);
  const found = await crossValidate({
    config,
    folds,
    evaluation: { surfaces, inOnePiece: endsOnSignals },
    trainFold: (fold, resume) => runTraining(fold, { resume }),
    onFold: (fold, all, what) =>
      say(
        `fold ${fold + 1} of ${all}${what === 'train' ? '' : what === 'resume' ? ' goes on' : ' was done before'}`,
      ),
  });
  say(`${crossMarkdown(found)}\n\n${relative(path.join(config.out, 'summary.md'))}`);
}
