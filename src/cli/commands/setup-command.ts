import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { Told } from '../terminal/report-error.ts';

interface Flags {
  readonly mpi?: boolean;
  readonly compile?: boolean;
  readonly verbose?: boolean;
}

/** `halomesh setup` */
export function setupCommand(program: Command): void {
  program
    .command('setup')
    .summary('compile the native kernels, and what else is missing, after an installation')
    .description(
      'Compiles the native kernels for the instruction sets of this kind of machine where no package brought them, and the shim of MPI ' +
        'where there is one. ' +
        'In a clone it installs the npm packages and compiles the TypeScript too. A second time nothing is done.',
    )
    .option('--mpi', 'install Open MPI where no MPI is found, and insist on building the shim for it')
    .option('--compile', 'compile the kernels also where a package brought those of this kind of machine')
    .option('--verbose', 'show the commands and their output')
    .addHelpText(
      'after',
      `
Examples:
  npm install halomesh && npx halomesh setup
  npx halomesh setup --mpi`,
    )
    .action(async ({ mpi, compile, verbose }: Flags) => {
      const flags = { '--mpi': mpi, '--compile': compile, '--verbose': verbose };
      const args = Object.entries(flags).flatMap(([flag, given]) => (given ? [flag] : []));
      // It runs before anything is built, so it is plain JavaScript beside `src/` and `dist/`.
      const { packageRoot } = await import('../../files/index.ts');
      const { setupCommand: run } = await import(
        pathToFileURL(path.join(packageRoot, 'scripts', 'setup', 'command.mjs')).href
      );
      const code: number = await run(args);
      if (code !== 0) throw new Told(code);
    });
}
