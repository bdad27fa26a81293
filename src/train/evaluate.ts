import path from 'node:path';
import { fail } from '../core/index.ts';
import { makeFolder } from '../files/index.ts';
import {
  type CaseComparison,
  ChunkCache,
  type Evaluation,
  evaluation,
  METRICS_VERSION,
} from '../imaging/index.ts';
import { alone } from '../machine/index.ts';
import { CHUNK_BYTES } from './cases.ts';
import { type Cleaning, cleaningOf } from './cleaning.ts';
import { checkEvaluation, writeSummary } from './evaluation-summary.ts';
import { type Judge, judgeCase } from './judge-case.ts';
import { finder, regroup } from './known-names.ts';
import { type MetricOptions, metricSettings, type ScoredReport } from './metric-options.ts';
import { openRun, type RunOptions } from './open-run.ts';
import { openSameDataset } from './same-files.ts';
import type { SegmentOptions } from './segmenter.ts';
import { together } from './together.ts';

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
  /** Whether outputs that are there are replaced; they are refused by default. */
  readonly overwrite?: boolean;
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
 * Segments all labelled cases of a data set and compares with their label maps. Of several processes all call it, and each counts
 * its own part; the first one writes, and it alone has cases in its report.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationReport> {
  const run = await openRun(options);
  try {
    const { classes } = run;
    const { processes, flips, out } = options;
    const data = options.data ?? run.config.data;
    const ownPatterns = options.data === undefined && options.images === undefined;
    const dataset = await openSameDataset(processes ?? alone(1), data, ownPatterns ? run.config : options);
    const cases = chosenCases(data, dataset.cases, options.cases);
    const { settings, shown } = metricSettings(options, classes);
    const first = (processes?.host ?? 0) === 0;
    await together(processes, async () => {
      if (!first || out === undefined) return;
      const { config, latest, best } = run.folder;
      const reads = [config, latest, best, path.join(data, 'dataset.json')];
      for (const { image, label } of cases) reads.push(image, ...(label === undefined ? [] : [label]));
      const drawn = options.overlays === false ? [] : cases.map(({ id }) => id);
      checkEvaluation(out, drawn, reads, options.overwrite);
      makeFolder(out);
    });
    const judge: Judge = {
      ...{ run, processes, settings, flips },
      steps: cleaningOf(options.cleaning ?? {}, classes),
      overlays: options.overlays === false ? undefined : out,
      chunks: new ChunkCache(CHUNK_BYTES),
    };
    const original: ({ id: string } & CaseComparison)[] = [];
    const prepared: ({ id: string } & CaseComparison)[] = [];
    for (const [n, entry] of cases.entries()) {
      const { id } = entry;
      const scores = await judgeCase(judge, entry);
      if (first && scores !== undefined) {
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

/** Cases with some ids; all by default. Refuses ids that there are none of, and an empty set. */
export function chosenCases<T extends { readonly id: string }>(
  data: string,
  cases: readonly T[],
  ids: readonly string[] | undefined,
): readonly T[] {
  // An id may have a comma in it, at which the command line parts a list.
  const known = cases.map(({ id }) => id);
  const chosenIds = ids && regroup(ids, ',', finder(known, ','));
  for (const id of chosenIds ?? [])
    if (!cases.some((entry) => entry.id === id))
      fail({ where: data, problem: `no case "${id}"`, expected: cases.map((entry) => entry.id).join(', ') });
  const chosen = cases.filter(({ id }) => chosenIds?.includes(id) ?? true);
  if (chosen.length === 0) fail({ where: data, problem: 'has no case with a label map to compare with' });
  return chosen;
}
