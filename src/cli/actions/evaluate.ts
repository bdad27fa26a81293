import path from 'node:path';
import { classifies } from '../../train/config/task/task.ts';
import {
  evaluate,
  evaluateLabels,
  formatEvaluation,
  type ScoredReport,
  type ShownReport,
} from '../../train/index.ts';
import { configOfRun } from '../../train/predict/open-run.ts';
import { checkMeshFlags, type PatternFlags, type RunFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/parse.ts';
import { type SegmentFlags, segmentOptions } from '../flags/segment-flags.ts';
import { endsOnSignals } from '../terminal/interrupt.ts';
import { joinRun, onAll } from '../terminal/processes.ts';
import { showProgress } from '../terminal/progress.ts';
import { say, sayJson, tell } from '../terminal/say.ts';
import { noteSplit, talks } from '../terminal/talks.ts';
import { workUnread } from '../terminal/unread.ts';
import { deviceOfRun } from '../terminal/usable-device.ts';
import { relative } from '../terminal/words.ts';

export interface Flags extends Omit<RunFlags, 'run'>, PatternFlags, SegmentFlags {
  readonly run?: string;
  readonly predictions?: string;
  readonly data?: string;
  readonly cases?: readonly string[];
  readonly all?: boolean;
  readonly tolerance?: number | Readonly<Record<string, number>>;
  readonly lesion?: string;
  readonly lesionIou?: number;
  readonly out?: string;
  readonly overlays: boolean;
  readonly surfaces: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export async function evaluateAction({
  json,
  lesion,
  run,
  predictions,
  all,
  ...given
}: Flags): Promise<void> {
  workUnread();
  const { flips, cleaning, rest: flags } = segmentOptions(given);
  let progress: ReturnType<typeof showProgress> | undefined;
  const shared = {
    lesion: lesion === 'none' ? null : lesion,
    inOnePiece: <T>(piece: () => T | Promise<T>): Promise<T> =>
      endsOnSignals(() => (progress === undefined ? piece() : progress.rest(piece))),
    onCase: (id: string, done: number, all: number) => {
      progress ??= showProgress({ unit: 'case', total: all, silent: !talks() });
      progress.update(done, [id]);
    },
    onNote: (text: string) => {
      if (!talks()) return;
      const line = `warning: ${text}`;
      if (progress) progress.note(line);
      else tell(line);
    },
  };
  const print = (report: ShownReport & ScoredReport, title: string, out: string): void => {
    if (json) sayJson(report);
    else say(`${title}\n${formatEvaluation(report)}\n${relative(path.join(out, 'summary.md'))}`);
  };
  if (predictions !== undefined) {
    const { data } = flags;
    refuseRunFlags({ run, flips, all, ...flags });
    if (flags.imageLabels !== undefined)
      throw new UsageError({ where: '--image-labels', problem: 'cannot stand beside --predictions' });
    if (data === undefined)
      throw new UsageError({
        where: '--predictions',
        problem: 'needs --data',
        hint: 'Name what to compare with',
      });
    // There are no ranks here, so one process does it.
    if (!talks()) return;
    const out = flags.out ?? predictions;
    const report = await evaluateLabels({ ...flags, ...shared, cleaning, predictions, data, out }).finally(
      () => progress?.stop(),
    );
    print(report, `${relative(predictions)} against ${relative(data)}; Dice:`, out);
    return;
  }
  if (run === undefined)
    throw new UsageError({
      where: 'evaluate',
      problem: 'expected --run <run> or --predictions <dir>, found neither',
      hint: 'Say what to compare with the labels',
    });
  if (all && flags.cases !== undefined)
    throw new UsageError({
      where: '--all',
      problem: 'cannot stand beside --cases',
      hint: 'Name some cases, or take them all',
    });
  checkMeshFlags(flags);
  if (classifies((await onAll('the run', () => configOfRun({ run }))).config))
    return (await import('./classify.ts')).evaluateImagesAction({ ...given, lesion, json, all, run });
  if (flags.imageLabels !== undefined)
    throw new UsageError({
      where: '--image-labels',
      problem: 'means nothing where the run tells voxels apart',
      hint: 'Leave it out',
    });
  const joined = await joinRun({ ...flags, run });
  const out = flags.out ?? path.join(run, 'evaluation');
  const report = await evaluate({
    ...flags,
    ...shared,
    ...joined,
    flips,
    cleaning,
    run,
    out,
    cases: all ? 'all' : flags.cases,
    onSplit: noteSplit,
    runsOn: deviceOfRun,
  }).finally(() => progress?.stop());
  if (talks())
    print(report, `${relative(report.run)}, ${report.checkpoint} checkpoint, ${report.step} steps:`, out);
}

/** Flags that say how a network segments. */
type NetworkFlags = RunFlags & Pick<SegmentFlags, 'flips' | 'wholeVolume'> & Pick<Flags, 'all'>;

/** All of them: a new one does not compile until it is here. */
const NETWORK_FLAGS: Readonly<Record<keyof NetworkFlags, true>> = {
  run: true,
  all: true,
  checkpoint: true,
  split: true,
  mesh: true,
  layout: true,
  memoryLimit: true,
  spillDir: true,
  device: true,
  threads: true,
  flips: true,
  wholeVolume: true,
  exactConv: true,
};

/** Flags that say how a network runs mean nothing without one. */
function refuseRunFlags(flags: Partial<NetworkFlags>): void {
  const given = (Object.keys(NETWORK_FLAGS) as (keyof NetworkFlags)[]).find(
    (key) => flags[key] !== undefined,
  );
  if (given === undefined) return;
  const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError({
    where: '--predictions',
    problem: `cannot stand beside ${flag}`,
    hint: 'Label maps are compared without a network',
  });
}
