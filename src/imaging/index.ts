// Volumes and their place in space
export * from './affine.ts';
// Training samples and scores
export * from './augment.ts';
export { putBox, takeBox } from './box-copy.ts';
// What is in a data set
export {
  type CasePrint,
  type ClassPrint,
  type Fingerprint,
  type FingerprintOptions,
  fingerprintDataset,
  type Print,
} from './check/fingerprint.ts';
export { type Intensities, percentiles } from './check/intensity-counts.ts';
export { type VerifyOptions, type VerifyReport, verifyDataset } from './check/verify.ts';
export type { CaseReport, Finding } from './check/verify-case.ts';
export type { Connectivity } from './components.ts';
// From a dataset's folder to what a network sees, and back
export * from './dataset.ts';
export type { DatasetPatterns } from './dataset-files.ts';
export { datasetIdentity } from './dataset-identity.ts';
export * from './errors.ts';
// Synthetic scans
export { type FakeLesionsOptions, type FakeLesionsReport, writeFakeLesions } from './fake-lesions.ts';
export * from './labels.ts';
export { MemorySource } from './memory-source.ts';
export * from './metrics.ts';
export * from './metrics-evaluation.ts';
export * from './metrics-lesions.ts';
// NIfTI files
export type { NiftiHeader } from './nifti-header.ts';
export { type NiftiReadOptions, type NiftiVolume, readNifti, readNiftiHeader } from './nifti-read.ts';
export type { ElementType, WritableType } from './nifti-types.ts';
export { createNiftiWriter, type NiftiWriteOptions, type NiftiWriter, writeNifti } from './nifti-write.ts';
export * from './orientation.ts';
export { type PhantomOptions, type PhantomProgress, writePhantom } from './phantom.ts';
export {
  type Inside,
  type MinimumSize,
  type PostprocessOptions,
  postprocess,
  type Region,
} from './postprocess.ts';
export * from './preprocess.ts';
export { RandomStream, randomKey, uniformAt } from './random.ts';
export { resampledPlanes, resampleImage } from './resample.ts';
export { resampleLabels, resampleLabelsTo } from './resample-labels.ts';
export { axisTaps, type ResampleTarget, resampledGrid } from './resample-taps.ts';
// Scans of any format
export { openScan, readScan, readScanHeader, readScanSlabs } from './scan.ts';
export { openScanSource, planScan, type ScanPlan, type ScanSource } from './scan-source.ts';
export type { OpenScan, ScanFormat, ScanHeader, ScanReadOptions, SlabSink } from './scan-types.ts';
export { ChunkCache } from './store/chunk-cache.ts';
// Stores of preprocessed cases
export { ClassCounter } from './store/class-counter.ts';
export { isStore, isZarr, type StoreOptions } from './store/format.ts';
export * from './store/preprocess-dataset.ts';
export { StoredCase } from './store/stored-case.ts';
export { type SurfaceOptions, type SurfaceScores, surfaceScores } from './surface.ts';
export * from './volume.ts';
export * from './voxel-source.ts';
export * from './window.ts';
