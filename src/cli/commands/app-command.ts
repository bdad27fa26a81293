import type { Command } from 'commander';
import type { AppFlags } from '../actions/app.ts';
import { addOverwriteFlag } from '../flags/flags.ts';

/** `halomesh app` */
export function appCommand(program: Command): void {
  const command = program
    .command('app')
    .summary('write the page that segments scans in a browser')
    .description(
      'Writes a static page, for any web server, that segments scans in the browser by runs of halomesh export --web, or by small networks that ' +
        'it learns from a scan with its label map. Scans and runs stay on the machine of whoever opens it. halomesh view serves the same page at app/.',
    )
    .requiredOption('--out <dir>', 'folder for the page');
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      `
With the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp" the page computes on several
threads.

Example:
  halomesh app --out public/segment
  halomesh export --run runs/a --web liver.safetensors`,
    )
    .action(async (flags: AppFlags) => (await import('../actions/app.ts')).appAction(flags));
}
