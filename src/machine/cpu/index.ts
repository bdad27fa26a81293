export { CPU_FUSION, CPU_TARGET, cpuDevice } from './device.ts';
export { INSTRUCTION_SETS, type InstructionSet, type Library, library } from './library.ts';
