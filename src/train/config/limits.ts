// The most that settings may ask for: beyond it nothing can be computed anywhere, or the format of an array cannot hold it. They
// import nothing, so that flags can name them without loading what they limit.

/** Voxels along a side: a cube of more has over 2^31, which no array holds. */
export const MOST_SIZE = 1290;
/** Pixels along a side of a square picture, for the same reason. */
export const MOST_PLANE = 46_340;
/** Voxels of a volume or patch. */
export const MOST_VOXELS = 2 ** 31;
/** Channels of the first level of a network. */
export const MOST_CHANNELS = 4096;
/** Scans or slices in a step. */
export const MOST_BATCH = 4096;
/** Adjacent slices that are the channels of a 2-D sample. */
export const MOST_SLICES = 255;
/** Steps of a training, whose number is an int32. */
export const MOST_STEPS = 2 ** 31 - 1;
/** Threads of a device. */
export const MOST_THREADS = 1024;
/** Least and most size of a voxel, mm: from those of a microscope to more than a body. */
export const SPACING = { least: 1e-4, most: 1000 } as const;
/** Bytes that a process takes before it computes anything; no memory limit is lower. */
export const LEAST_MEMORY = 9e7;
/** Cases of a synthetic data set. */
export const MOST_CASES = 100_000;
/** Ranks of a mesh. */
export const MOST_RANKS = 65_536;
