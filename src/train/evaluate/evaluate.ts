import { fail } from '../../core/index.ts';
import { makeFolder } from '../../files/index.ts';
import {
  type Case,
  ChunkCache,
  type Evaluation,
  evaluation,
  imageFiles,
  type LabelMapping,
  METRICS_VERSION,
} from '../../imaging/index.ts';
import { alone } from '../../machine/index.ts';
import { fromFirst, type InOnePiece, plainly, together } from '../../run/index.ts';
import { knownIds } from '../config/known-names.ts';
import { checkChannelOrder } from '../config/normalization.ts';
import { type Cleaning, cleaningOf } from '../predict/cleaning.ts';
import { openRun, type RunOptions } from '../predict/open-run.ts';
import type { SegmentOptions } from '../predict/segmenter.ts';
import { isRunFile } from '../record/run-folder.ts';
import { openSameDataset } from '../record/same-files.ts';
import { CHUNK_BYTES } from '../samples/cases.ts';
import { CASE_KINDS, type CaseKind, caseKinds } from './case-kinds.ts';
import { checkEvaluation, writeSummary } from './evaluation-summary.ts';
import { type Judge, type Judgement, judgeCase } from './judge-case.ts';
import { type MetricOptions, metricSettings, type ScoredReport } from './metric-options.ts';

export interface EvaluateOptions extends RunOptions, MetricOptions {
  /** Folder of the data set; that of the run by default. */
  readonly data?: string;
  /** Patterns of its images and label maps; those of the run where `data` is that of the run. */
  readonly images?: string;
  readonly labels?: string;
  /** What values of its label maps stand for; as the run has it where `data` is that of the run. */
  readonly mapLabels?: LabelMapping;
  /** Whether scans that lean are resampled upright; as the run says, of its own data set. */
  readonly resampleTilt?: boolean;
  /**
   * Which cases with a label map to look at. By default those that were held out in training; where the data set has none of them,
   * those that the run never saw; else those that it was trained on. `all` takes every kind, each with means of its own, and a
   * list of ids these cases.
   */
  readonly cases?: 'held-out' | 'all' | readonly string[];
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
  /** Told of a picture that cannot be drawn; all else goes on. */
  readonly onNote?: (text: string) => void;
  /** Compares the label maps of a case, and draws its picture. */
  readonly inOnePiece?: InOnePiece;
}

/** Scores of cases of one kind. */
export interface KindScores {
  /** What the run did with all of these cases, by their ids. */
  readonly kind: CaseKind;
  /** On the voxels of the label files: the segmentation is brought back to the grid of its scan. */
  readonly original: EvaluationOfKind;
  /** On the voxels that the network saw: scores of counts alone. */
  readonly prepared: EvaluationOfKind;
}

/** An evaluation whose cases say what the run did with them. */
export type EvaluationOfKind = Omit<Evaluation, 'cases'> & {
  readonly cases: readonly (Evaluation['cases'][number] & { readonly kind: CaseKind })[];
};

/** How good a trained network is on a data set. */
export interface EvaluationReport extends ScoredReport, KindScores {
  readonly run: string;
  readonly checkpoint: 'best' | 'latest';
  /** Steps that the network was trained for. */
  readonly step: number;
  /** Axes that were also turned around; absent where none was. */
  readonly flips?: SegmentOptions['flips'];
  readonly original: EvaluationOfKind;
  /** Further kinds of cases, where more than one was asked for. */
  readonly apart?: readonly KindScores[];
}

/**
 * Segments labelled cases of a data set and compares with their label maps. Of several processes all call it, and each counts
 * its own part; the first one writes, and it alone has cases in its report.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationReport> {
  if (isRunFile(options.run))
    fail({
      where: options.run,
      problem: 'a run that is one file says nothing of its cases',
      expected: 'the folder of a run',
      found: 'a file',
      hint: 'Segment the scans with halomesh predict, and compare with evaluate --predictions',
    });
  const run = await openRun(options);
  try {
    const { classes } = run;
    const { processes, flips, out } = options;
    const first = (processes?.index ?? 0) === 0;
    const data = options.data ?? run.config.data;
    const own = options.data === undefined ? run.config : undefined;
    const { mapLabels = own?.mapLabels, resampleTilt = own?.resampleTilt } = options;
    const ownPatterns = options.data === undefined && options.images === undefined;
    const { images, labels } = ownPatterns ? run.config : options;
    const dataset = await openSameDataset(processes ?? alone(1), data, {
      images,
      labels,
      mapLabels,
      resampleTilt,
    });
    checkChannelOrder(run.config, dataset);
    const kinds = new Map(
      await fromFirst(
        processes,
        await together(processes, 'kinds of cases', async () =>
          first ? [...(await caseKinds(run.folder, run.config, dataset))] : [],
        ),
      ),
    );
    const cases = casesToJudge(data, dataset.cases, kinds, options.cases);
    const { settings, shown } = metricSettings(options, classes, run.config.regions);
    await together(processes, 'the files to write', async () => {
      if (!first || out === undefined) return;
      const reads = [...run.reads];
      for (const entry of cases)
        reads.push(...imageFiles(entry), ...(entry.label === undefined ? [] : [entry.label]));
      const drawn = options.overlays === false ? [] : cases.map(({ id }) => id);
      checkEvaluation(out, { data, drawn, reads, overwrite: options.overwrite });
      makeFolder(out);
    });
    const judge: Judge = {
      ...{ run, processes, settings, flips },
      steps: cleaningOf(options.cleaning ?? {}, classes, run.config.regions),
      overlays: options.overlays === false ? undefined : out,
      onNote: options.onNote,
      inOnePiece: options.inOnePiece ?? plainly,
      chunks: new ChunkCache(CHUNK_BYTES),
    };
    const compared: Compared[] = [];
    for (const [n, entry] of cases.entries()) {
      const { id } = entry;
      const scores = await judgeCase(judge, entry);
      if (first && scores !== undefined) compared.push({ id, kind: kinds.get(id)!, ...scores });
      options.onCase?.(id, n + 1, cases.length);
    }
    const [shownFirst, ...apart] = CASE_KINDS.filter((kind) =>
      cases.some(({ id }) => kinds.get(id) === kind),
    ).map((kind) => scoresOf(kind, compared, run.judged, settings.lesion));
    const report: EvaluationReport = {
      metricsVersion: METRICS_VERSION,
      run: run.folder.dir,
      data,
      checkpoint: run.checkpoint,
      step: run.step!,
      ...(options.flips && { flips: options.flips }),
      settings: shown,
      ...shownFirst,
      ...(apart.length > 0 && { apart }),
    };
    if (first && options.out !== undefined) await writeSummary(options.out, report);
    return report;
  } finally {
    run.free();
  }
}

/** A case and what was found of it. */
interface Compared extends Judgement {
  readonly id: string;
  readonly kind: CaseKind;
}

/** The means of one kind of cases. */
function scoresOf(
  kind: CaseKind,
  compared: readonly Compared[],
  classes: readonly string[],
  lesion: number | undefined,
): KindScores {
  const cases = compared.filter((one) => one.kind === kind);
  const marked = ({ cases: scored, ...rest }: Evaluation): EvaluationOfKind => ({
    cases: scored.map(({ id, ...scores }) => ({ id, kind, ...scores })),
    ...rest,
  });
  const original = cases.map(({ id, original }) => ({ id, ...original }));
  const prepared = cases.map(({ id, prepared: confusion }) => ({ id, confusion }));
  return {
    kind,
    original: marked(evaluation(original, classes, lesion)),
    prepared: marked(evaluation(prepared, classes)),
  };
}

/** The cases of the first kind that there is, or those that are asked for. */
export function casesToJudge(
  data: string,
  cases: readonly Case[],
  kinds: ReadonlyMap<string, CaseKind>,
  asked: EvaluateOptions['cases'] = 'held-out',
): readonly Case[] {
  if (asked !== 'held-out') return chosenCases(data, cases, asked === 'all' ? undefined : asked);
  const kind = CASE_KINDS.find((one) => cases.some(({ id }) => kinds.get(id) === one));
  return chosenCases(
    data,
    cases.filter(({ id }) => kinds.get(id) === kind),
    undefined,
  );
}

/** Cases with some ids; all by default. Refuses ids that there are none of, and an empty set. */
export function chosenCases<T extends { readonly id: string }>(
  data: string,
  cases: readonly T[],
  ids: readonly string[] | undefined,
): readonly T[] {
  const chosenIds = ids && new Set(knownIds(ids, cases, { where: data, cut: true }));
  const chosen = cases.filter(({ id }) => chosenIds?.has(id) ?? true);
  if (chosen.length === 0) fail({ where: data, problem: 'has no case with a label map to compare with' });
  return chosen;
}
