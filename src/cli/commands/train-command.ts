import type { Command } from 'commander';
import { addOverwriteFlag, addTraceFlag } from '../flags/flags.ts';
import { addTrainFlags, type TrainFlags } from '../flags/train-flags.ts';

/** `halomesh train` */
export function trainCommand(program: Command): void {
  const command = program
    .command('train')
    .summary('train a 3-D U-Net on a data set')
    .description(
      'Trains a 3-D U-Net on whole volumes, split over a mesh of ranks. The run folder gets the whole config, a log of ' +
        'JSON lines, checkpoints (latest, best) and pictures. Ctrl-C finishes the step, saves and says how to resume.',
    );
  addOverwriteFlag(addTraceFlag(addTrainFlags(command)))
    .option('--resume', 'go on from the last checkpoint of the run; its config counts where no flag does')
    .option('--watch', 'serve a page that shows the training, on this machine alone, as long as it goes on')
    .addHelpText(
      'after',
      `
Every flag can stand in the config file: {"data": "ct", "split": {"depth": 2}, "learningRate": 0.003}

Examples:
  halomesh train --data ct --out runs/a --spacing 3 --split depth=2,height=2 --steps 300
  halomesh train --config hou.json --out runs/b --mesh rows=2,cols=2 --layout depth:rows,height:cols
  halomesh train --out runs/a --resume --steps 600
  halomesh train --data ct --out runs/c --watch`,
    )
    .action(async (flags: TrainFlags) => (await import('../actions/train.ts')).trainAction(flags));
}
