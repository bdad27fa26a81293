// What `import { ... } from 'halomesh/browser'` gives: what needs neither files nor native code, so that it runs in pages and workers.

// Scans that were given, segmented by a run that was exported for pages
export { dicomSegOf } from './app/dicom-seg.ts';
export { type GivenLabels, readGivenLabels } from './app/given-labels.ts';
export { type GivenScan, niftiOf, openGiven, scanAmong } from './app/given-scan.ts';
export { type LearnedStep, type LearnSettings, learnScan } from './app/learn.ts';
export {
  type FoundClass,
  type Passes,
  type Segmentation,
  type SegmentSettings,
  segmentScan,
} from './app/segment.ts';
// Augmentation, resampling, scores
export { augmentBox } from './imaging/augment/augment.ts';
// Scans among files that a page was given
export { readGivenScan } from './imaging/formats/any-scan.ts';
export type { GivenBytes, GivenFiles } from './imaging/formats/given-files.ts';
export { resampleImage } from './imaging/preprocess/resample.ts';
export { resampleLabels } from './imaging/preprocess/resample-labels.ts';
export { Confusion, type CountScores } from './imaging/scores/metrics.ts';
export { type PostprocessOptions, postprocess } from './imaging/scores/postprocess.ts';
export { type SurfaceScores, surfaceScores } from './imaging/scores/surface.ts';
export type { Affine } from './imaging/volume/affine.ts';
export { ImagingError } from './imaging/volume/errors.ts';
export { orientationCode, toCanonical } from './imaging/volume/orientation.ts';
export type { ScanHeader, ScanReadOptions } from './imaging/volume/scan-types.ts';
export type { Grid, Shape3, Volume } from './imaging/volume/volume.ts';
export { spacingOf } from './imaging/volume/volume.ts';
// Devices
export type { Device, HostArray } from './machine/device.ts';
export { nullDevice } from './machine/null.ts';
export { referenceDevice } from './machine/reference.ts';
export { type WasmModule, type WasmOptions, wasmDevice } from './machine/wasm/index.ts';
export { type WebGpu, type WebGpuOptions, webgpuDevice } from './machine/webgpu/index.ts';
// Layers, networks, losses, optimizers, whole graphs
export * from './nn/index.ts';
// Shapes with named dimensions, graphs, meshes and layouts, and operations on values of a graph
export * from './ops/public.ts';
// What a graph will need, before it runs
export { explainPlan, formatPlan, makePlan, type Plan, type PlanReport } from './plan/index.ts';
// Running graphs on a mesh of ranks in this page
export { type Loaded, Session, type SessionOptions } from './run/index.ts';
export { encodeWebRun, type OpenWebRun, readWebRun, type WebRun } from './train/record/web-run.ts';
