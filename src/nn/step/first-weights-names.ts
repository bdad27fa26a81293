// They import nothing, so that they can be named without loading what they choose.

/** How weights may begin, by name. */
export const FIRST_WEIGHTS = ['he-normal', 'he-truncated', 'xavier-normal', 'xavier-uniform'] as const;
export type FirstWeights = (typeof FIRST_WEIGHTS)[number];
