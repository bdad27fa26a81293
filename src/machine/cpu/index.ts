export { commonSet, type UsableSets } from './common-set.ts';
export { costsOf } from './costs.ts';
export { type CpuOptions, cpuDevice } from './device.ts';
export { convAlgorithm } from './exact-conv.ts';
export * from './kernel-class.ts';
export {
  INSTRUCTION_SETS,
  type InstructionSet,
  instructionSets,
  kernelsBuilt,
  type Library,
  library,
  removeOnSignals,
} from './library.ts';
export * from './peak.ts';
export * from './speeds.ts';
export { CPU_TARGET, cpuTarget, type TargetOptions } from './target.ts';
