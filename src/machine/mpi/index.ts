export { type Launched, launched } from './launched.ts';
export { mpiAvailable } from './library.ts';
export { abortMpi, finishMpi, type MpiProcesses, mpiProcesses } from './processes.ts';
