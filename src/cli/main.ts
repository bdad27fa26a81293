// Started by bin/halomesh.js.

import { run } from './program.ts';
import { exitOnSignals } from './terminal/interrupt.ts';
import { watchOutputs } from './terminal/unread.ts';

watchOutputs();
exitOnSignals();
process.exitCode = await run(process.argv.slice(2));
