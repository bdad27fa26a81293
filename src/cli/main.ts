// Started by bin/halomesh.js.
import { exitOnSignals } from './interrupt.ts';
import { loadRooms } from './load-rooms.ts';

// A reader that has seen enough (`halomesh plan | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

exitOnSignals();
const args = process.argv.slice(2);
// Help needs no room but the commands' own.
if (args.length > 0 && !args.some((arg) => /^(-h|--help|help|-v|-V|--version)$/.test(arg))) await loadRooms();
const { run } = await import('./program.ts');
process.exitCode = await run(args);
