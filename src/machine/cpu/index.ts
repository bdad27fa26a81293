export { commonSet, type UsableSets } from './common-set.ts';
export { type CpuOptions, cpuDevice } from './device.ts';
export { convAlgorithm, type ExactConv } from './exact-conv.ts';
export { INSTRUCTION_SETS, type InstructionSet, instructionSets, type Library, library } from './library.ts';
export * from './peak.ts';
export { CPU_TARGET } from './target.ts';
