import type { Command } from 'commander';
import type { Flags } from '../actions/info.ts';
import { addOverwriteFlag } from '../flags/flags.ts';
import { counted, deviceChoice } from '../flags/parse.ts';

/** `halomesh info` */
export function infoCommand(program: Command): void {
  const command = program
    .command('info')
    .summary('version, devices, instruction sets, threads, memory, MPI')
    .description('Tells what this installation and machine offer.')
    .option('--json', 'print it as JSON')
    .option(
      '--device <name>',
      'tell of this device too: pjrt:LIBRARY, the library of a PJRT plug-in; with --calibrate, measure it: cuda (default: cpu)',
      deviceChoice('--device'),
    )
    .option(
      '--calibrate',
      'measure the speeds of this machine instead, for scale and --split auto; under mpirun -n 2 of its messages too',
    )
    .option(
      '--calibrate-sizes <list>',
      'voxels along each side of the training steps that are timed (default: 32,96)',
      counted('--calibrate-sizes'),
    )
    .option('--out <file>', 'write them to this machine file (default: print them)');
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      `
Examples:
  halomesh info
  halomesh info --device pjrt:libtpu.so
  mpirun -n 2 halomesh info --calibrate --out machine.json
  halomesh info --calibrate --device cuda --out gpu.json`,
    )
    .action(async (flags: Flags) => (await import('../actions/info.ts')).infoAction(flags));
}
