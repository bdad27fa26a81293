// Started by bin/halomesh.js.
import { exitOnSignals } from './interrupt.ts';
import { run } from './program.ts';
import { watchOutputs } from './unread.ts';

watchOutputs();
exitOnSignals();
process.exitCode = await run(process.argv.slice(2));
