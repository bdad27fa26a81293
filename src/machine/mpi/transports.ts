// Light to load: declarations of flags read it.

/** How messages in memory of devices may be asked to travel; `auto` takes the first of mpi, ipc and pinned that two processes can. */
export const TRANSPORTS = ['auto', 'pinned', 'ipc', 'mpi'] as const;
export type TransportChoice = (typeof TRANSPORTS)[number];
