import type { Command } from 'commander';
import { COMPUTING_DEVICES, DEVICE_WORDS } from '../../machine/device-names.ts';
import {
  MOST_BATCH,
  MOST_CHANNELS,
  MOST_PLANE,
  MOST_STEPS,
  MOST_THREADS,
} from '../../train/config/limits.ts';
import type { Flags } from '../actions/bench.ts';
import { addConvFlag, addMemoryFlags, addMeshFlags, addOverwriteFlag, addTraceFlag } from '../flags/flags.ts';
import { count, deviceChoice, oneOf } from '../flags/parse.ts';

/** `halomesh bench` */
export function benchCommand(program: Command): void {
  const command = program
    .command('bench')
    .summary('time training steps on random data')
    .description('Runs training steps of the U-Net on random data: time, work, memory and bytes sent.')
    .option('--size <n>', 'voxels along each side', count('--size', 1, MOST_PLANE), 128)
    .option('--plane', 'pictures of three colours in place of volumes: windows over height and width')
    .option('--base <n>', 'channels of the first level', count('--base', 1, MOST_CHANNELS), 16)
    .option('--levels <n>', 'resolutions of the network', count('--levels', 1, 10), 4)
    .option('--steps <n>', 'steps to time, after one to warm up', count('--steps', 1, MOST_STEPS), 5)
    .option('--batch <n>', 'volumes in a step', count('--batch', 1, MOST_BATCH), 1);
  addOverwriteFlag(addConvFlag(addMemoryFlags(addMeshFlags(command))));
  addTraceFlag(command)
    .option(
      '--precision <type>',
      'how activations are stored: f32, bf16',
      oneOf('--precision', ['f32', 'bf16']),
      'f32',
    )
    .option(
      '--device <name>',
      `${DEVICE_WORDS.join(' or ')} (default: ${COMPUTING_DEVICES[0]})`,
      deviceChoice('--device'),
    )
    .option(
      '--threads <n>',
      'threads of the cpu device (default: all cores)',
      count('--threads', 1, MOST_THREADS),
    )
    .option(
      '--optimizer <name>',
      'what updates the weights: adafactor, adam, sgd',
      oneOf('--optimizer', ['adafactor', 'adam', 'sgd']),
      'adafactor',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
With --trace the kernels are listed by the time that they take in a step.

Examples:
  halomesh bench --size 64 --split depth=2,height=2 --json
  halomesh bench --size 128 --trace step.json`,
    )
    .action(async (flags: Flags) => (await import('../actions/bench.ts')).benchAction(flags));
}
