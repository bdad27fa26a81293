export { CALL_FUSION } from './calls/index.ts';
export * from './communicator.ts';
export * from './cpu/index.ts';
export * from './device.ts';
export * from './local.ts';
export * from './mpi/index.ts';
export * from './null.ts';
export * from './reference.ts';
export * from './rest.ts';
