// Volumes and their place in space

// Training samples and scores
export * from './augment/augment.ts';
export { augmentChannels } from './augment/augment-colours.ts';
// What is in a data set
export {
  type CasePrint,
  type ClassPrint,
  type Fingerprint,
  type FingerprintOptions,
  fingerprintDataset,
  type Print,
} from './check/fingerprint.ts';
export * from './check/foreground.ts';
export { type Intensities, percentiles } from './check/intensity-counts.ts';
export * from './check/label-statistics.ts';
export { type VerifyOptions, type VerifyReport, verifyDataset } from './check/verify.ts';
export type { CaseReport, Finding } from './check/verify-case.ts';
// From a dataset's folder to what a network sees, and back
export {
  type ChannelledCase,
  channelFiles,
  imageFiles,
  readChannelHeader,
  withStoredChannels,
} from './dataset/channels.ts';
export * from './dataset/dataset.ts';
export { channelNumber, type DatasetPatterns, volumesOf } from './dataset/dataset-files.ts';
export { datasetIdentity } from './dataset/dataset-identity.ts';
export { imageClassOf, withLabelMaps } from './dataset/image-labels.ts';
export { hasRegions, IGNORE, regionsOf } from './dataset/label-regions.ts';
export * from './dataset/labels.ts';
export * from './dataset/named-labels.ts';
export { hasStructureCases } from './dataset/structure-cases.ts';
// Scans of any format, wherever they lie
export { readOpenSlabs } from './formats/any-scan.ts';

// Label maps that are written
export { LABEL_LEVEL, type SliceWriter, writeSlices, writeVolume } from './formats/byte-writer.ts';
export { diskFiles } from './formats/disk-files.ts';

// NIfTI files
export { encodeHeader } from './formats/nifti/nifti-encode.ts';
export {
  createNiftiWriter,
  type NiftiWriteOptions,
  type NiftiWriter,
  writeNifti,
} from './formats/nifti/nifti-write.ts';
// Scans of any format
export { isPictureName, outlineEnding, pictureEnding } from './formats/picture/picture-grid.ts';
export type { PictureBox } from './formats/picture/picture-types.ts';
export { openScan, readScan, readScanHeader, readScanSlabs } from './formats/scan.ts';
export type { ByteSource, ScanFolders } from './formats/scan-files.ts';
export * from './formats/segmentation/label-formats.ts';
export type { Segment } from './formats/segmentation/segments.ts';
export type { Connectivity } from './parts/components.ts';
export { labelSet } from './parts/components.ts';
export { partsOf, type VoxelPart } from './parts/part-places.ts';
export {
  type NnunetCase,
  type NnunetPreparation,
  prepareAsNnunet,
  roundToEven,
} from './preprocess/nnunet-case.ts';
export type { PictureStatistics } from './preprocess/picture/picture-boxes.ts';
export * from './preprocess/preprocess.ts';
export * from './preprocess/preprocess-dataset.ts';
export { resampledPlanes, resampleImage } from './preprocess/resample.ts';
export { resampleLabels, resampleLabelsTo } from './preprocess/resample-labels.ts';
export { axisTaps, type ResampleTarget, resampledGrid } from './preprocess/resample-taps.ts';
export { openScanSource, planScan, type ScanPlan, type ScanSource } from './preprocess/scan-source.ts';
export { resampleSpline, type SplineOrder, type SplineResampling } from './preprocess/spline.ts';
export * from './scores/image-scores.ts';
export * from './scores/metrics.ts';
export * from './scores/metrics-evaluation.ts';
export * from './scores/metrics-lesions.ts';
export {
  type Inside,
  type MinimumSize,
  type PostprocessOptions,
  postprocess,
  type Region,
} from './scores/postprocess.ts';
export { type Regions, SignedDistances } from './scores/signed-distances.ts';
export { type SurfaceOptions, type SurfaceScores, surfaceScores } from './scores/surface.ts';
export * from './scores/wilcoxon.ts';
export { ChunkCache } from './store/chunk-cache.ts';
export { classNamesProblem } from './store/dataset-names.ts';
export { isStore, isZarr, mostChannels, type StoreOptions } from './store/format.ts';
export { expectedOf, valueAt } from './store/json-file.ts';
export { StoredCase } from './store/stored-case.ts';
// Synthetic scans
export {
  type FakeLesionsOptions,
  type FakeLesionsReport,
  writeFakeLesions,
} from './synthetic/fake-lesions.ts';
export { type PhantomOptions, type PhantomProgress, writePhantom } from './synthetic/phantom.ts';
export * from './volume/affine.ts';
export { putBox, takeBox } from './volume/box-copy.ts';
// Stores of preprocessed cases
export { ClassCounter } from './volume/class-counter.ts';
export { eachGlass, GlassLeftOut } from './volume/colours/glass.ts';
export * from './volume/errors.ts';
export * from './volume/intensity-window.ts';
export * from './volume/label-codes.ts';
export { MemorySource } from './volume/memory-source.ts';
export {
  type ElementType,
  elementBytes,
  typeOfArray,
  type WritableType,
} from './volume/nifti-types.ts';
export {
  defaultNormalizations,
  type Normalization,
  RGB_CHANNELS,
  windowRange,
} from './volume/normalization.ts';
export * from './volume/orientation.ts';
export { normalizationsOf } from './volume/prepared-case.ts';
export type {
  ChannelFile,
  OpenScan,
  ScanFormat,
  ScanHeader,
  ScanReadOptions,
  SlabSink,
} from './volume/scan-types.ts';
export { leanLabels } from './volume/tilt/upright.ts';
export * from './volume/volume.ts';
export * from './volume/voxel-source.ts';
