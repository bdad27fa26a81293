// From a config to a run

export * from './config/config.ts';
export { presets } from './config/config-presets.ts';
export * from './config/machine-file.ts';
export { grantedBytes } from './config/memory-room.ts';
export * from './config/model.ts';
export {
  channelCount,
  channelNamesOf,
  checkChannelOrder,
  normalizationsOfConfig,
  takesPercentiles,
  withChannels,
} from './config/normalization.ts';
export { checkSize, shapeOfSize } from './config/plane.ts';
export * from './cross/compare-images.ts';
export * from './cross/compare-runs.ts';
export * from './cross/cross-validate.ts';
export type { ImageCrossValidation } from './cross/image-folds.ts';
export { isOfImages } from './cross/image-summary-file.ts';
export type { CaseKind } from './evaluate/case-kinds.ts';
// From a run to scores and segmentations
export {
  type EvaluateOptions,
  type EvaluationOfKind,
  type EvaluationReport,
  evaluate,
  type KindScores,
} from './evaluate/evaluate.ts';
export * from './evaluate/evaluate-labels.ts';
export { summaryMarkdown } from './evaluate/evaluation-summary.ts';
export { formatEvaluation, type ShownReport } from './evaluate/evaluation-table.ts';
export { type EvaluateImagesOptions, evaluateImages } from './evaluate/images/evaluate-images.ts';
export * from './evaluate/images/image-report.ts';
export { formatImageEvaluation, imageSummary } from './evaluate/images/image-summary.ts';
export type { MetricOptions, ReportSettings, ScoredReport } from './evaluate/metric-options.ts';
export * from './loop/forecast.ts';
export * from './loop/train.ts';
export * from './loop/train-events.ts';
export * from './pictures/index.ts';
export type { Cleaning } from './predict/cleaning.ts';
export { FLIP_AXES, type FlipAxis } from './predict/flips.ts';
export { Classifier, type ClassifySettings } from './predict/images/classifier.ts';
export * from './predict/images/classify.ts';
export * from './predict/open-run.ts';
export * from './predict/predict.ts';
export * from './predict/predict-options.ts';
export type { SegmentedPart, SegmentOptions } from './predict/segmenter.ts';
// What these are made of
export type { BestScore } from './record/best.ts';
export * from './record/checkpoint.ts';
export * from './record/log.ts';
export * from './record/network-file.ts';
export { checkThere } from './record/run-check.ts';
export { configOfFolder } from './record/run-config.ts';
export * from './record/run-folder.ts';
export { type RunPlan, readRunPlan } from './record/run-plan.ts';
export * from './record/safetensors.ts';
export * from './record/trace-file.ts';
export { type ChosenCases, chooseCases } from './samples/cases.ts';
export { withPlannedNetwork, withStages } from './samples/planned-network.ts';
export * from './samples/preprocessed.ts';
