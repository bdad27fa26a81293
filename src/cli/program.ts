import { Command } from 'commander';
import { printable } from '../core/index.ts';
import { launched } from '../machine/mpi/launched.ts';
import { appCommand } from './commands/app-command.ts';
import { benchCommand } from './commands/bench-command.ts';
import { compareCommand } from './commands/compare-command.ts';
import { completionCommand } from './commands/completion-command.ts';
import { crossValidateCommand } from './commands/cross-validate-command.ts';
import { evaluateCommand } from './commands/evaluate-command.ts';
import { exportCommand } from './commands/export-command.ts';
import { fakeLesionsCommand } from './commands/fake-lesions-command.ts';
import { fingerprintCommand } from './commands/fingerprint-command.ts';
import { importCommand } from './commands/import-command.ts';
import { infoCommand } from './commands/info-command.ts';
import { phantomCommand } from './commands/phantom-command.ts';
import { planCommand } from './commands/plan-command.ts';
import { predictCommand } from './commands/predict-command.ts';
import { preprocessCommand } from './commands/preprocess-command.ts';
import { scaleCommand } from './commands/scale-command.ts';
import { setupCommand } from './commands/setup-command.ts';
import { trainCommand } from './commands/train-command.ts';
import { verifyCommand } from './commands/verify-command.ts';
import { viewCommand } from './commands/view-command.ts';
import { checkOutputFlags } from './flags/output-flags.ts';
import { loadRooms } from './load-rooms.ts';
import { EXIT, reportError } from './terminal/report-error.ts';
import { talks } from './terminal/talks.ts';
import { version } from './terminal/version.ts';

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
    .hook('preAction', (_program, command) => loadRooms(command.name()))
    .hook('preAction', (_program, command) => checkOutputFlags(command))
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 110, 110) })
    .configureOutput({ ...output, outputError: oneLine('halomesh') });
  for (const add of [
    trainCommand,
    evaluateCommand,
    crossValidateCommand,
    compareCommand,
    predictCommand,
    viewCommand,
    planCommand,
    benchCommand,
    verifyCommand,
    scaleCommand,
    fingerprintCommand,
    preprocessCommand,
    phantomCommand,
    fakeLesionsCommand,
    importCommand,
    exportCommand,
    appCommand,
    infoCommand,
    setupCommand,
    completionCommand,
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
    if (together) await (await import('./terminal/processes.ts')).part();
    return EXIT.done;
  } catch (error) {
    return together
      ? (await import('./terminal/processes.ts')).failTogether(error, write)
      : reportError(error, write);
  }
}
