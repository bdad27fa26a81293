import { Command } from 'commander';
import { printable } from '../core/index.ts';
import { launched } from '../machine/mpi/launched.ts';
import { benchCommand } from './bench-command.ts';
import { evaluateCommand } from './evaluate-command.ts';
import { fakeLesionsCommand } from './fake-lesions-command.ts';
import { fingerprintCommand } from './fingerprint-command.ts';
import { infoCommand } from './info-command.ts';
import { loadRooms } from './load-rooms.ts';
import { phantomCommand } from './phantom-command.ts';
import { planCommand } from './plan-command.ts';
import { predictCommand } from './predict-command.ts';
import { preprocessCommand } from './preprocess-command.ts';
import { EXIT, reportError } from './report-error.ts';
import { scaleCommand } from './scale-command.ts';
import { talks } from './talks.ts';
import { trainCommand } from './train-command.ts';
import { verifyCommand } from './verify-command.ts';
import { version } from './version.ts';

const EXAMPLES = `
Examples:
  halomesh phantom --out phantoms --size 64
  halomesh verify phantoms
  halomesh plan --size 128 --split depth=2,height=2
  halomesh preprocess --data phantoms --out stores/phantoms
  halomesh train --data phantoms --out runs/first --split depth=2,height=2 --steps 200
  halomesh evaluate --run runs/first --data phantoms
  halomesh predict --run runs/first --input scan.nii.gz --output segmentation.nii.gz

HALOMESH_DEBUG=1 shows where an error arose. HALOMESH_ISA=avx512|avx2|base chooses the kernels.`;

/** Commands whose ranks may be processes of their own. */
const RANKED = ['train', 'evaluate', 'predict', 'bench', 'info'];

/** The command line; `write` gets what goes to stderr. */
export function makeProgram(write: (text: string) => void): Command {
  // What several processes would all say is said by one.
  const output = talks() ? { writeErr: write } : { writeErr: () => undefined, writeOut: () => undefined };
  const program = new Command('halomesh')
    .description(
      'Trains and runs 3-D convolutional networks on whole medical volumes, split in space over a mesh of ranks.',
    )
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    // Help, version and mistakes end before.
    .hook('preAction', loadRooms)
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 110, 110) })
    .configureOutput({ ...output, outputError: oneLine('halomesh') });
  for (const add of [
    trainCommand,
    evaluateCommand,
    predictCommand,
    planCommand,
    benchCommand,
    verifyCommand,
    scaleCommand,
    fingerprintCommand,
    preprocessCommand,
    phantomCommand,
    fakeLesionsCommand,
    infoCommand,
  ])
    add(program);
  for (const command of program.commands) {
    command.helpOption('-h, --help', 'show help');
    command.configureOutput({ outputError: oneLine(`halomesh ${command.name()}`) });
  }
  return program;
}

/** Commander says `error: unknown option '--splt'`, and on a line of its own which one is near. */
function oneLine(command: string): (text: string, write: (text: string) => void) => void {
  return (text, write) => {
    const problem = text
      .replace(/^error: /, '')
      .trim()
      .replaceAll('\n', ' ');
    write(`halomesh: ${printable(problem)}. See ${command} --help\n`);
  };
}

/** Runs a command line (without node and script) and returns the exit code; errors are one line on stderr. */
export async function run(
  args: readonly string[],
  write: (text: string) => void = (text) => process.stderr.write(text),
): Promise<number> {
  // Of several processes one alone does what is no work for ranks, such as writing phantoms.
  if (!talks() && !RANKED.includes(args[0])) return EXIT.done;
  const together = launched() !== undefined;
  const program = makeProgram(write);
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.done;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    if (together) await (await import('./processes.ts')).part();
    return EXIT.done;
  } catch (error) {
    return together ? (await import('./processes.ts')).failTogether(error, write) : reportError(error, write);
  }
}
