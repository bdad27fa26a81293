import { fail, printable } from '../../core/index.ts';
import type { LabelFormat } from '../../imaging/index.ts';
import type { Tracer } from '../../run/index.ts';
import { classifies } from '../../train/config/task/task.ts';
import { configOfRun } from '../../train/predict/open-run.ts';
import { isFolderOfScans, predict, predictFolder } from '../../train/predict/predict.ts';
import type { FolderResult, PredictionEvent, PredictResult } from '../../train/predict/predict-options.ts';
import { filesOfRun, placeOfRun } from '../../train/record/run-folder.ts';
import { checkMeshFlags, type RunFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/parse.ts';
import { type SegmentFlags, segmentOptions } from '../flags/segment-flags.ts';
import { endsOnSignals } from '../terminal/interrupt.ts';
import { joinRun, onAll } from '../terminal/processes.ts';
import { type Progress, showProgress } from '../terminal/progress.ts';
import { errorLine } from '../terminal/report-error.ts';
import { say, tell } from '../terminal/say.ts';
import { noteSplit, talks } from '../terminal/talks.ts';
import { traced } from '../terminal/trace.ts';
import { workUnread } from '../terminal/unread.ts';
import { deviceOfRun } from '../terminal/usable-device.ts';
import { relative } from '../terminal/words.ts';

export interface Flags extends Omit<RunFlags, 'run'>, SegmentFlags {
  readonly run: readonly string[];
  readonly input: string;
  readonly series?: string;
  readonly volume?: number;
  readonly resampleTilt?: boolean;
  readonly output: string;
  readonly format?: LabelFormat;
  readonly labelNames?: boolean;
  readonly outlines?: boolean;
  readonly probabilities?: boolean;
  readonly probabilitiesDownsample?: number;
  readonly oneFilePerClass?: boolean;
  readonly statistics?: boolean;
  readonly trace?: string;
  readonly overwrite?: boolean;
}

/** Runs `halomesh predict`. */
export async function predictAction(flags: Flags): Promise<void> {
  workUnread();
  checkMeshFlags(flags);
  const { flips, cleaning, rest } = segmentOptions(flags);
  const { trace, run: runs, ...others } = rest;
  const [first, ...ensemble] = runs;
  if (classifies((await onAll('the run', () => configOfRun({ run: first }))).config))
    return (await import('./classify.ts')).classifyAction(flags);
  const given = { ...others, run: first, ensemble, date: sourceDate() };
  if (given.probabilitiesDownsample !== undefined && !given.probabilities)
    throw new UsageError({ where: '--probabilities-downsample', problem: 'needs --probabilities' });
  const joined = await joinRun({ ...flags, run: first });
  const file = talks() ? trace : undefined;
  const show = new Display();
  const run = async (tracer: Tracer | undefined): Promise<FolderResult> => {
    const options = {
      ...given,
      flips,
      ...joined,
      cleaning,
      tracer,
      onSplit: noteSplit,
      // No bar is shown then.
      inOnePiece: endsOnSignals,
      runsOn: deviceOfRun,
      onEvent: (event: PredictionEvent) => show.on(event),
    };
    if (await isFolderOfScans(flags.input)) return predictFolder(options);
    return { results: [await predict(options)], faults: [] };
  };
  const { results, faults } = await traced(file, run, {
    endsAtOnce: true,
    overwrite: flags.overwrite,
    // Channels have commas between them.
    reads: [flags.input, ...flags.input.split(','), ...runs.flatMap((one) => filesOfRun(placeOfRun(one)))],
  }).finally(() => show.stop());
  if (faults.length === 0) return;
  if (talks()) for (const { input, error } of faults) tell(`${relative(input)}: ${errorLine(error)}`);
  fail({
    where: flags.input,
    problem: `${faults.length} of ${results.length + faults.length} scans could not be segmented`,
  });
}

/** The time that SOURCE_DATE_EPOCH gives, in seconds since 1970, to builds that shall be the same each time. */
function sourceDate(): Date | undefined {
  const text = process.env.SOURCE_DATE_EPOCH;
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,11}$/.test(text)) return new Date(1000 * Number(text));
  throw new UsageError({
    where: 'SOURCE_DATE_EPOCH',
    problem: 'expected whole seconds since 1970',
    found: printable(text),
  });
}

/** Shows what happens: a bar for the passes of a scan, and what was written. */
class Display {
  private progress: Progress | undefined;

  on(event: PredictionEvent): void {
    if (!talks()) return;
    switch (event.kind) {
      case 'scan':
        if (event.scans > 1) tell(`scan ${event.place}/${event.scans}  ${relative(event.input)}`);
        return;
      case 'pass':
        // One pass says nothing while it runs.
        if (event.passes === 1) return;
        this.progress ??= showProgress({ unit: 'pass', total: event.passes });
        this.progress.update(event.done);
        if (event.done === event.passes) this.stop();
        return;
      case 'note':
        tell(`warning: ${relative(event.input)}: ${event.note}`);
        return;
      case 'written':
        printResult(event.result);
        return;
      case 'fault':
        this.stop();
        return;
      default:
        event satisfies never;
    }
  }

  stop(): void {
    this.progress?.stop();
    this.progress = undefined;
  }
}

function printResult({
  output,
  outlines,
  probabilities,
  masks,
  statistics,
  shape,
  spacing,
  voxelVolume,
  voxels,
  checkpoint,
  step,
}: PredictResult): void {
  const all = shape[0] * shape[1] * shape[2];
  const isPlane = shape[0] === 1;
  const [, row, column] = spacing;
  say(`${relative(output)}  ${shape.join(' x ')} voxels, ${checkpoint} checkpoint, ${step} steps`);
  for (const [name, found] of Object.entries(voxels)) {
    const share = `${((100 * found) / all).toFixed(2)} %`;
    const volume = isPlane
      ? `${(found * row * column).toFixed(2)} mm2`
      : `${((found * voxelVolume) / 1000).toFixed(1)} ml`;
    say(
      `  ${name.padEnd(14)}${found.toLocaleString('en').padStart(12)}  ${share.padStart(8)}  ${volume.padStart(11)}`,
    );
  }
  if (outlines) say(`  ${relative(outlines)}`);
  for (const files of [probabilities, masks, statistics])
    for (const file of Object.values(files ?? {})) say(`  ${relative(file)}`);
}
