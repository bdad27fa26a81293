export * from './call.ts';
export { callOf, isRowOp, ruleOf } from './calls.ts';
export { MOST_LOOPS } from './collapse.ts';
export * from './fusion.ts';
