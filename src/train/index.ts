// From a config to a run

// What these are made of
export type { BestScore } from './best.ts';
export type { CaseKind } from './case-kinds.ts';
export { type ChosenCases, chooseCases } from './cases.ts';
export * from './checkpoint.ts';
export type { Cleaning } from './cleaning.ts';
export * from './config.ts';
export { presets } from './config-presets.ts';
// From a run to scores and segmentations
export {
  type EvaluateOptions,
  type EvaluationOfKind,
  type EvaluationReport,
  evaluate,
  type KindScores,
} from './evaluate.ts';
export * from './evaluate-labels.ts';
export { summaryMarkdown } from './evaluation-summary.ts';
export { formatEvaluation, type ShownReport } from './evaluation-table.ts';
export { FLIP_AXES, type FlipAxis } from './flips.ts';
export * from './forecast.ts';
export * from './log.ts';
export * from './machine-file.ts';
export type { MetricOptions, ReportSettings, ScoredReport } from './metric-options.ts';
export * from './model.ts';
export * from './open-run.ts';
export * from './pictures/index.ts';
export * from './predict.ts';
export * from './preprocessed.ts';
export { checkThere } from './run-check.ts';
export * from './run-folder.ts';
export * from './safetensors.ts';
export type { SegmentedPart, SegmentOptions } from './segmenter.ts';
export * from './train.ts';
export * from './train-events.ts';
