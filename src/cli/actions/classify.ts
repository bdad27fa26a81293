import path from 'node:path';
import { fail } from '../../core/index.ts';
import type { Tracer } from '../../run/index.ts';
import { evaluateImages } from '../../train/evaluate/images/evaluate-images.ts';
import { formatImageEvaluation } from '../../train/evaluate/images/image-summary.ts';
import { type ClassifyEvent, classify } from '../../train/predict/images/classify.ts';
import { filesOfRun, placeOfRun } from '../../train/record/run-folder.ts';
import type { PatternFlags, RunFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/parse.ts';
import { type SegmentFlags, segmentOptions } from '../flags/segment-flags.ts';
import { joinRun } from '../terminal/processes.ts';
import { showProgress } from '../terminal/progress.ts';
import { errorLine } from '../terminal/report-error.ts';
import { say, sayJson, tell } from '../terminal/say.ts';
import { noteSplit, talks } from '../terminal/talks.ts';
import { traced } from '../terminal/trace.ts';
import { deviceOfRun } from '../terminal/usable-device.ts';
import { relative } from '../terminal/words.ts';

// `predict` and `evaluate` of runs that tell the classes of images as wholes.

export interface ClassifyFlags extends Omit<RunFlags, 'run'>, SegmentFlags {
  readonly run: readonly string[];
  readonly input: string;
  readonly series?: string;
  readonly volume?: number;
  readonly resampleTilt?: boolean;
  readonly output: string;
  readonly trace?: string;
  readonly overwrite?: boolean;
}

export interface EvaluateImagesFlags extends RunFlags, PatternFlags, SegmentFlags {
  readonly data?: string;
  readonly cases?: readonly string[];
  readonly all?: boolean;
  readonly out?: string;
  readonly lesion?: string;
  readonly overlays: boolean;
  readonly surfaces: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** Flags of `predict` and `evaluate` that are of label maps. */
const OF_LABEL_MAPS = [
  ...['format', 'labelNames', 'probabilities', 'probabilitiesDownsample', 'oneFilePerClass', 'statistics'],
  ...['labels', 'mapLabels', 'tolerance', 'lesion', 'lesionIou', 'wholeVolume'],
  ...['largestComponent', 'fillHoles', 'inside', 'minSize'],
];

function refuse(flags: object, keys: readonly string[] = OF_LABEL_MAPS): void {
  const given = keys.find((key) => (flags as Readonly<Record<string, unknown>>)[key] !== undefined);
  if (given === undefined) return;
  throw new UsageError({
    where: `--${given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    problem: 'is of label maps, and the run tells the classes of whole images',
    hint: 'Leave it out',
  });
}

/** Runs `halomesh predict` for a run that tells the classes of images. */
export async function classifyAction(flags: ClassifyFlags): Promise<void> {
  refuse(flags);
  const { flips, rest } = segmentOptions(flags);
  const { trace, run: runs, ...others } = rest;
  const [run, ...ensemble] = runs;
  const joined = await joinRun({ ...flags, run });
  const work = (tracer: Tracer | undefined) =>
    classify({
      ...{ ...others, run, ensemble, flips, ...joined, tracer },
      onSplit: noteSplit,
      runsOn: deviceOfRun,
      onEvent: show,
    });
  const { images, faults, output, checkpoint, step } = await traced(talks() ? trace : undefined, work, {
    endsAtOnce: true,
    overwrite: flags.overwrite,
    reads: [flags.input, ...flags.input.split(','), ...runs.flatMap((one) => filesOfRun(placeOfRun(one)))],
  });
  if (talks() && images.length > 0)
    say(
      `${relative(output)}  ${images.length} ${images.length === 1 ? 'image' : 'images'}, ${checkpoint} checkpoint, ${step} steps`,
    );
  if (faults.length === 0) return;
  if (talks()) for (const { input, error } of faults) tell(`${relative(input)}: ${errorLine(error)}`);
  fail({
    where: flags.input,
    problem: `${faults.length} of ${images.length + faults.length} images could not be classified`,
  });
}

function show(event: ClassifyEvent): void {
  if (!talks()) return;
  if (event.kind === 'note') tell(`warning: ${relative(event.input)}: ${event.note}`);
  if (event.kind !== 'image') return;
  const { id, label, probabilities } = event.image;
  const all = Object.entries(probabilities).map(([name, p]) => `${name} ${p.toFixed(3)}`);
  say(`${id}  ${label}  (${all.join(', ')})`);
}

/** Runs `halomesh evaluate` for a run that tells the classes of images. */
export async function evaluateImagesAction(flags: EvaluateImagesFlags): Promise<void> {
  refuse(flags);
  if (!flags.surfaces) refuse({ noSurfaces: true }, ['noSurfaces']);
  if (!flags.overlays) refuse({ noOverlays: true }, ['noOverlays']);
  const { flips, rest } = segmentOptions(flags);
  const { run, all, json, data, images, imageLabels, resampleTilt, overwrite, ...others } = rest;
  const joined = await joinRun(flags);
  const out = flags.out ?? path.join(run, 'evaluation');
  let progress: ReturnType<typeof showProgress> | undefined;
  const report = await evaluateImages({
    ...{ ...others, run, data, images, imageLabels, resampleTilt, overwrite, flips, out, ...joined },
    cases: all ? 'all' : flags.cases,
    onSplit: noteSplit,
    runsOn: deviceOfRun,
    onNote: (text) => {
      if (talks()) (progress?.note ?? tell)(`warning: ${text}`);
    },
    onCase: (id, done, count) => {
      progress ??= showProgress({ unit: 'image', total: count, silent: !talks() });
      progress.update(done, [id]);
    },
  }).finally(() => progress?.stop());
  if (!talks()) return;
  if (json) sayJson(report);
  else {
    say(`${relative(report.run)}, ${report.checkpoint} checkpoint, ${report.step} steps:`);
    say(`${formatImageEvaluation(report)}\n${relative(path.join(out, 'summary.md'))}`);
  }
}
