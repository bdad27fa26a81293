// Started by bin/halomesh.js.
import { exitOnSignals } from './interrupt.ts';
import { run } from './program.ts';

// A reader that has seen enough (`halomesh plan | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

exitOnSignals();
process.exitCode = await run(process.argv.slice(2));
