// Networks from and for other programs

export { type ExportOptions, type ExportResult, exportRun } from './export-run.ts';
export * from './nnunet/import-nnunet.ts';
export { exportStablehlo, type StablehloOptions } from './stablehlo/export-stablehlo.ts';
export type { PickleValue } from './torch/pickle-values.ts';
export type { TorchNumbers, TorchStorage, TorchTensor, TorchType } from './torch/tensors.ts';
export { openTorch, type TorchFile } from './torch/torch-file.ts';
