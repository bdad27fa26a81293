import type { Command } from 'commander';
import { MACHINE_DEVICES } from '../../machine/device-names.ts';
import { MOST_BATCH, MOST_CHANNELS, MOST_RANKS, MOST_SIZE, MOST_THREADS } from '../../train/config/limits.ts';
import type { ScaleFlags } from '../actions/scale-finder.ts';
import { addOverwriteFlag } from '../flags/flags.ts';
import { byteCount, count, counted, oneOf } from '../flags/parse.ts';

const RANKS = Array.from({ length: 13 }, (_, power) => 2 ** power);

/** `halomesh scale` */
export function scaleCommand(program: Command): void {
  const command = program
    .command('scale')
    .summary('predict time, memory and bytes of a training step for 1 to 4096 ranks')
    .description(
      'Predicts the time of a training step for numbers of ranks, each over its best split, from the counts of plans and the ' +
        'speeds of a machine file; nothing is trained. Prints a table for a volume over more and more ranks (strong scaling) ' +
        'and for one that grows with them (weak), and draws both. Each rank has a machine of its own unless told otherwise.',
    )
    .option('--size <n>', 'voxels along each side', count('--size', 1, MOST_SIZE), 512)
    .option('--base <n>', 'channels of the first level', count('--base', 1, MOST_CHANNELS), 16)
    .option('--levels <n>', 'resolutions of the network', count('--levels', 1, 10), 4)
    .option('--batch <n>', 'volumes in a step', count('--batch', 1, MOST_BATCH), 1)
    .option(
      '--precision <type>',
      'how activations are stored: f32, bf16',
      oneOf('--precision', ['f32', 'bf16']),
      'f32',
    )
    .option(
      '--ranks <list>',
      'numbers of ranks, such as 1,2,4 (default: 1, 2, 4 ... 4096)',
      counted('--ranks', MOST_RANKS),
      RANKS,
    )
    .option(
      '--machine <file>',
      'speeds, by info --calibrate or by hand, or a name such as tpu-v5p (default: HALOMESH_MACHINE, else assumed)',
    )
    .option(
      '--threads <n>',
      'threads of each rank (default: the cores of its machine, divided)',
      count('--threads', 1, MOST_THREADS),
    )
    .option(
      '--ranks-per-machine <n>',
      'ranks that share a machine (default: 1; a rank for each GPU of it)',
      count('--ranks-per-machine'),
    )
    .option(
      '--device <name>',
      'cpu or cuda: a core of the machine file is a GPU then, with a rank each',
      oneOf('--device', MACHINE_DEVICES),
      MACHINE_DEVICES[0],
    )
    .option(
      '--memory-limit <bytes>',
      'of each rank: what does not fit is recomputed or spilled',
      byteCount('--memory-limit'),
    )
    .option(
      '--block <n>',
      'voxels along each side of a rank in the weak scaling (default: a quarter of --size)',
      count('--block'),
    )
    .option('--tries <n>', 'splits that are planned for each number of ranks', count('--tries'), 3)
    .option('--measure', 'run the step here too, on 1, 2 and 4 processes of one thread, and show both times')
    .option('--out <file>', 'picture to write', 'scale.png')
    .option('--json', 'print the result as JSON');
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      `
Examples:
  mpirun -n 2 halomesh info --calibrate --out machine.json
  halomesh scale --size 512 --base 16 --machine machine.json
  halomesh scale --size 1024 --base 32 --precision bf16 --device cuda --machine examples/machines/8-h100-400gbit.json
  halomesh scale --size 128 --measure`,
    )
    .action(async (flags: ScaleFlags) => (await import('../actions/scale.ts')).scaleAction(flags));
}
