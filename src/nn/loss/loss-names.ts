// Names of losses. They import nothing, so that they can be named without loading what they choose.

/** Losses that are means over voxels. */
export const VOXEL_LOSSES = ['ce', 'focal', 'bce'] as const;
export type VoxelLoss = (typeof VOXEL_LOSSES)[number];

/** Losses of the overlap of regions, from -1 to 0, means over the Dice classes. */
export const REGION_LOSSES = ['dice', 'case-dice', 'batch-dice', 'tversky'] as const;
export type RegionLoss = (typeof REGION_LOSSES)[number];

/** Losses of scores and labels alone. */
export const LABEL_LOSSES = [...REGION_LOSSES, ...VOXEL_LOSSES] as const;
export type LabelLoss = (typeof LABEL_LOSSES)[number];

/** The loss of distances to the boundaries of regions, which stands beside others. */
export const BOUNDARY_LOSS = 'boundary';

/** All of them; a loss is one or a sum of several. */
export const LOSS_NAMES = [...LABEL_LOSSES, BOUNDARY_LOSS] as const;
export type LossName = (typeof LOSS_NAMES)[number];

export const isLabelLoss = (name: LossName): name is LabelLoss => name !== BOUNDARY_LOSS;

export const isRegionLoss = (name: LossName): name is RegionLoss =>
  (REGION_LOSSES as readonly string[]).includes(name);

/** Those that regions which may overlap can be learnt by. */
export const SET_LOSSES = [
  'dice',
  'case-dice',
  'batch-dice',
  'tversky',
  'bce',
  'boundary',
] as const satisfies readonly LossName[];

export const isSetLoss = (name: LossName): boolean => (SET_LOSSES as readonly string[]).includes(name);

/** Whether distances to boundaries are an input of a loss: one of `terms`, in whose place there may be one of a user's own. */
export const hasBoundary = ({
  terms = [],
  custom,
}: {
  readonly terms?: readonly LossName[];
  readonly custom?: unknown;
}): boolean => custom === undefined && !terms.every(isLabelLoss);
