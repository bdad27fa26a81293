/** Dimensions that `--split`, `--layout` and the same keys of a config may cut. It imports nothing: the command line reads it for help. */
export const DIMENSIONS = ['depth', 'height', 'width', 'batch', 'channel'] as const;
