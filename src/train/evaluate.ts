import { mkdir } from 'node:fs/promises';
import { fail } from '../core/index.ts';
import {
  type Case,
  type CaseComparison,
  Confusion,
  canonicalGrid,
  compareCase,
  type Evaluation,
  evaluation,
  loadCase,
  loadLabels,
  METRICS_VERSION,
  type MetricSettings,
  type PreparedCase,
  postprocess,
  restoreCanonicalLabels,
  spacingOf,
  voxelCount,
} from '../imaging/index.ts';
import { alone } from '../machine/index.ts';
import { predictionBytes } from './cases.ts';
import { type Cleaning, cleaningOf } from './cleaning.ts';
import { overlayFile, writeSummary } from './evaluation-summary.ts';
import { type MetricOptions, metricSettings, type ScoredReport } from './metric-options.ts';
import { prepareOptions } from './model.ts';
import { type OpenRun, openRun, type RunOptions } from './open-run.ts';
import { drawOverlay } from './pictures/index.ts';
import { openSameDataset } from './same-files.ts';
import type { SegmentOptions } from './segmenter.ts';

export interface EvaluateOptions extends RunOptions, MetricOptions {
  /** Folder of the data set; that of the run by default. */
  readonly data?: string;
  /** Patterns of its images and label maps; those of the run where `data` is that of the run. */
  readonly images?: string;
  readonly labels?: string;
  /** Ids of the cases to look at; all with a label map by default. */
  readonly cases?: readonly string[];
  /** Axes that are also turned around: probabilities are the mean over all ways to do so. None by default. */
  readonly flips?: SegmentOptions['flips'];
  /** What is done to every segmentation before it is compared; nothing by default. */
  readonly cleaning?: Cleaning;
  /** Folder that gets `summary.json`, `summary.md` and `overlays/CASE.png`; made where it is not there. Absent: nothing is written. */
  readonly out?: string;
  /** Whether overlays are drawn; they are by default. */
  readonly overlays?: boolean;
  /** Called after each case. */
  readonly onCase?: (id: string, done: number, all: number) => void;
}

/** How good a trained network is on a data set. */
export interface EvaluationReport extends ScoredReport {
  readonly run: string;
  readonly checkpoint: 'best' | 'latest';
  /** Steps that the network was trained for. */
  readonly step: number;
  /** Axes that were also turned around; absent where none was. */
  readonly flips?: SegmentOptions['flips'];
  /** On the voxels of the label files: the segmentation is brought back to the grid of its scan. */
  readonly original: Evaluation;
  /** On the voxels that the network saw: scores of counts alone. */
  readonly prepared: Evaluation;
}

/**
 * Segments all labelled cases of a data set and compares with their label maps. Of several processes all call it; the first one
 * compares and writes, and it alone has cases in its report.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationReport> {
  const run = await openRun(options);
  try {
    const { classes } = run;
    const data = options.data ?? run.config.data;
    const ownPatterns = options.data === undefined && options.images === undefined;
    const dataset = await openSameDataset(
      options.processes ?? alone(1),
      data,
      ownPatterns ? run.config : options,
    );
    const cases = chosenCases(data, dataset.cases, options.cases);
    const { settings, shown } = metricSettings(options, classes);
    const first = (options.processes?.host ?? 0) === 0;
    if (first && options.out !== undefined) await mkdir(options.out, { recursive: true });
    const original: ({ id: string } & CaseComparison)[] = [];
    const prepared: ({ id: string } & CaseComparison)[] = [];
    for (const [n, entry] of cases.entries()) {
      const { id } = entry;
      const scan = await loadCase({ ...entry, labelNames: classes }, prepareOptions(run.config));
      const labels = await run.segment(scan, {
        flips: options.flips,
        hostBytes: evaluationBytes(scan, shown.cleaning !== undefined),
        to: [0],
      });
      if (first) {
        const scores = await compare(run, entry, scan, labels, settings, options);
        original.push({ id, ...scores.original });
        prepared.push({ id, confusion: scores.prepared });
      }
      options.onCase?.(id, n + 1, cases.length);
    }
    const report: EvaluationReport = {
      metricsVersion: METRICS_VERSION,
      run: run.folder.dir,
      data,
      checkpoint: run.checkpoint,
      step: run.step!,
      ...(options.flips && { flips: options.flips }),
      settings: shown,
      original: evaluation(original, classes, settings.lesion),
      prepared: evaluation(prepared, classes),
    };
    if (first && options.out !== undefined) await writeSummary(options.out, report);
    return report;
  } finally {
    run.free();
  }
}

/**
 * Bytes of volumes that the first process holds while it judges a case: scan, labels and truth as the network saw them; labels and
 * truth on the grid of the file where that is another; distances between surfaces, or what post-processing works on.
 */
function evaluationBytes(scan: PreparedCase, cleaned: boolean): number {
  const [seen, stored] = [voxelCount(scan.shape), voxelCount(scan.original.shape)];
  const resampled = seen === stored ? 0 : 2 * stored;
  return predictionBytes(seen) + resampled + (cleaned ? 4 : 2) * Math.max(seen, stored);
}

/** Cases with some ids; all by default. Refuses ids that there are none of, and an empty set. */
export function chosenCases<T extends { readonly id: string }>(
  data: string,
  cases: readonly T[],
  ids: readonly string[] | undefined,
): readonly T[] {
  for (const id of ids ?? [])
    if (!cases.some((entry) => entry.id === id))
      fail({ where: data, problem: `no case "${id}"`, expected: cases.map((entry) => entry.id).join(', ') });
  const chosen = cases.filter(({ id }) => ids?.includes(id) ?? true);
  if (chosen.length === 0) fail({ where: data, problem: 'has no case with a label map to compare with' });
  return chosen;
}

/** Scores of a case on the voxels of its file and on those that the network saw, and its picture. */
async function compare(
  { classes }: OpenRun,
  { id, label }: Case,
  scan: PreparedCase,
  found: Uint8Array,
  settings: MetricSettings,
  { cleaning, out, overlays = true }: EvaluateOptions,
): Promise<{ original: CaseComparison; prepared: Confusion }> {
  const spacing = spacingOf(scan);
  const steps = cleaningOf(cleaning ?? {}, classes);
  const clean = (labels: Uint8Array, shape: PreparedCase['shape'], mm: PreparedCase['shape']): Uint8Array =>
    postprocess(labels, shape, mm, steps);
  const labels = clean(found, scan.shape, spacing);
  const prepared = new Confusion(classes.length).add(labels, scan.labels!);
  // In RAS+ order, on the voxels of the file.
  const grid = canonicalGrid(scan.original);
  let original: CaseComparison;
  if (scan.shape.every((n, axis) => n === grid.shape[axis]))
    original = compareCase(scan.labels!, labels, grid, classes.length, settings);
  else {
    const truth = await loadLabels(label!, grid, classes);
    const restored = clean(restoreCanonicalLabels(found, scan).data, grid.shape, spacingOf(grid));
    original = compareCase(truth.data, restored, grid, classes.length, settings);
  }
  if (out !== undefined && overlays)
    drawOverlay({
      image: scan.image,
      truth: scan.labels,
      prediction: labels,
      shape: scan.shape,
      spacing,
      file: overlayFile(out, id),
      title: id,
      classNames: classes,
      dice: Object.fromEntries(classes.slice(1).map((name, n) => [name, original.confusion.dice(n + 1)])),
    });
  return { original, prepared };
}
