// Started by bin/halomesh.js.
import { run } from './program.ts';

process.exitCode = await run(process.argv.slice(2));
