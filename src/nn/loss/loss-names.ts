// Names of losses. They import nothing, so that they can be named without loading what they choose.

/** Losses that are means over voxels. */
export const VOXEL_LOSSES = ['ce', 'focal', 'bce'] as const;
export type VoxelLoss = (typeof VOXEL_LOSSES)[number];

/** Losses of the overlap of regions, from -1 to 0, means over the Dice classes. */
export const REGION_LOSSES = ['dice', 'case-dice', 'batch-dice', 'tversky'] as const;
export type RegionLoss = (typeof REGION_LOSSES)[number];

/** All of them; a loss is one or a sum of several. */
export const LOSS_NAMES = [...REGION_LOSSES, ...VOXEL_LOSSES] as const;
export type LossName = (typeof LOSS_NAMES)[number];

export const isRegionLoss = (name: LossName): name is RegionLoss =>
  (REGION_LOSSES as readonly string[]).includes(name);

/** Those that regions which may overlap can be learnt by. */
export const SET_LOSSES = [
  'dice',
  'case-dice',
  'batch-dice',
  'tversky',
  'bce',
] as const satisfies readonly LossName[];

export const isSetLoss = (name: LossName): boolean => (SET_LOSSES as readonly string[]).includes(name);
