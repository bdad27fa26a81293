export { CPU_FUSION, CPU_TARGET, cpuDevice } from './device.ts';
export { INSTRUCTION_SETS, type InstructionSet, instructionSets, type Library, library } from './library.ts';
export * from './peak.ts';
