import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell, USES } from '../completion/shells.ts';
import { completedCommands } from '../completion/words.ts';
import { say } from '../terminal/say.ts';

/** `halomesh completion` */
export function completionCommand(program: Command): void {
  program
    .command('completion')
    .summary('print a script that completes command lines in a shell')
    .description('Prints a script with which a shell completes commands, flags and their values.')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
${SHELLS.map((shell) => `  ${USES[shell]}`).join('\n')}`,
    )
    .action((shell: Shell) =>
      say(completionScript(shell, program.name(), completedCommands(program)).trimEnd()),
    );
}
