// Started by bin/halomesh.js.
import { run } from './program.ts';

// A reader that has seen enough (`halomesh plan | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await run(process.argv.slice(2));
