export { attrsOf } from './attrs.ts';
export { isElementwise, type PointwiseName, RowBuilder } from './builder.ts';
export { evaluatesLanes, leavesLanes, leftByLanes } from './classes.ts';
export * from './row.ts';
export * from './table.ts';
