// Speeds of machines of which nothing was measured, all of them. Two uses need two figures: choices of plans need weights that are the same
// on every machine, so that all make the same plan and a test can hold it; times need what a machine of today does.

/** Bytes a second to a file on a plain disk, and from it. */
export const DISK_BYTES = 1e9;

/** By which plans choose. Where they are off, a plan recomputes what it might spill, or the other way round; no result changes. */
export const WEIGHTS = {
  /** Floating-point operations and bytes of memory a second, of one or two cores. */
  flopsPerSecond: 2.5e11,
  bytesPerSecond: 1e10,
  /** Of the ranks of one machine: messages cost their bytes alone. */
  link: { bytesPerSecond: 1e9, latencySeconds: 0, messageSeconds: 0 },
} as const;

/** By which plans for a GPU choose, the same on all. */
export const GPU = {
  flopsPerSecond: 2e13,
  bytesPerSecond: 2e12,
  launchSeconds: 5e-6,
  /** To pinned memory of the host, and from it. */
  hostBytesPerSecond: 2e10,
  link: { bytesPerSecond: 2e10, latencySeconds: 2e-5, messageSeconds: 5e-6 },
} as const;

/** By which times are told: an AVX-512 core of a server of 2024. */
export const CORE = {
  source: 'not measured: an AVX-512 core of a server of 2024',
  launchSeconds: 3e-6,
  kernels: {
    conv: { flopsPerSecond: 3.6e11, bytesPerSecond: 5e9, weightsPerSecond: 2e9 },
    weightGradient: { flopsPerSecond: 2.9e11, bytesPerSecond: 8e9, weightsPerSecond: 8e7 },
    smallConv: { flopsPerSecond: 1.5e11, bytesPerSecond: 7e9, weightsPerSecond: 1e9 },
    pass: { flopsPerSecond: 2e10, bytesPerSecond: 3e10 },
  },
  /** All cores together reach what so many do alone. */
  memoryBytesPerSecond: 3.5e10,
  memoryCores: 8,
} as const;

/** 10 Gbit/s Ethernet, by which times between machines are told. */
export const ETHERNET = {
  bytesPerSecond: 1.1e9,
  latencySeconds: 1e-4,
  messageSeconds: 1e-5,
  source: 'not measured: 10 Gbit/s Ethernet; start with mpirun -n 2 to measure it',
} as const;
