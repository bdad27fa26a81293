import path from 'node:path';
import type { Command } from 'commander';
import { evaluate, evaluateLabels, formatEvaluation, type ScoredReport } from '../train/index.ts';
import {
  addOverwriteFlag,
  addPatternFlags,
  addRunFlags,
  checkMeshFlags,
  type PatternFlags,
  type RunFlags,
} from './flags.ts';
import { listOf, numberOrNamed, positive, UsageError } from './parse.ts';
import { joinRun, noteSplit, talks } from './processes.ts';
import { showProgress } from './progress.ts';
import { say, sayJson } from './say.ts';
import { addCleaningFlags, addFlipsFlag, type SegmentFlags, segmentOptions } from './segment-flags.ts';
import { relative } from './words.ts';

interface Flags extends Omit<RunFlags, 'run'>, PatternFlags, SegmentFlags {
  readonly run?: string;
  readonly predictions?: string;
  readonly data?: string;
  readonly cases?: readonly string[];
  readonly tolerance?: number | Readonly<Record<string, number>>;
  readonly lesion?: string;
  readonly lesionIou?: number;
  readonly out?: string;
  readonly overlays: boolean;
  readonly surfaces: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `halomesh evaluate` */
export function evaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .summary('compare a trained network, or label maps, with the labels of a data set')
    .description(
      'Segments every labelled case of a data set, or takes label maps from a folder, and scores them on the voxels of the ' +
        'label files: overlap, distances between surfaces, lesions found. Writes summary.json, summary.md and a picture of ' +
        'each case.',
    );
  addPatternFlags(addCleaningFlags(addFlipsFlag(addRunFlags(command, { optional: true }))))
    .option('--predictions <dir>', 'compare label maps (CASE.nii.gz) instead of a network; needs no --run')
    .option(
      '--data <dir>',
      'data set (default: that of the run), or with --predictions a folder of label maps',
    )
    .option('--cases <ids>', 'only these cases, such as case7,case9', listOf('--cases', 'case7,case9'))
    .option(
      '--tolerance <mm>',
      'for the surface Dice: one number, or by class such as liver=3,tumour=1 (default: 2)',
      numberOrNamed('--tolerance', 'liver=3,tumour=1'),
    )
    .option(
      '--no-surfaces',
      'leave out distances between surfaces, and lesions unless --lesion names them: then no process holds a whole label map',
    )
    .option('--lesion <class>', 'class whose parts are counted as lesions, or none (default: by its name)')
    .option(
      '--lesion-iou <share>',
      'least intersection over union of a lesion that counts as found (default: any overlap)',
      positive('--lesion-iou'),
    )
    .option(
      '--out <dir>',
      'folder of the results (default: evaluation in the run, or the folder of --predictions)',
    )
    .option('--no-overlays', 'draw no pictures')
    .option('--json', 'print the whole report as JSON');
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      '\nExamples:\n  halomesh evaluate --run runs/a --data ct --tolerance liver=3,tumour=1\n' +
        '  halomesh evaluate --run runs/a --flips --largest-component liver+tumour --inside tumour=liver\n' +
        '  halomesh evaluate --predictions segmentations --data ct --json',
    )
    .action(evaluateAction);
}

async function evaluateAction({ json, lesion, run, predictions, ...given }: Flags): Promise<void> {
  const { flips, cleaning, rest: flags } = segmentOptions(given);
  let progress: ReturnType<typeof showProgress> | undefined;
  const shared = {
    lesion: lesion === 'none' ? null : lesion,
    onCase: (id: string, done: number, all: number) => {
      progress ??= showProgress({ unit: 'case', total: all, silent: !talks() });
      progress.update(done, [id]);
    },
  };
  const print = (report: ScoredReport, title: string, out: string): void => {
    if (json) sayJson(report);
    else say(`${title}; Dice:\n${formatEvaluation(report)}\n${relative(path.join(out, 'summary.md'))}`);
  };
  if (predictions !== undefined) {
    const { data } = flags;
    refuseRunFlags({ run, flips, ...flags });
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
    print(report, `${relative(predictions)} against ${relative(data)}`, out);
    return;
  }
  if (run === undefined)
    throw new UsageError({
      where: 'evaluate',
      problem: 'expected --run <run> or --predictions <dir>, found neither',
      hint: 'Say what to compare with the labels',
    });
  checkMeshFlags(flags);
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
    onSplit: noteSplit,
  }).finally(() => progress?.stop());
  if (talks())
    print(report, `${relative(report.run)}, ${report.checkpoint} checkpoint, ${report.step} steps`, out);
}

/** Flags that say how a network runs mean nothing without one. */
function refuseRunFlags(flags: Partial<RunFlags> & Pick<SegmentFlags, 'flips'>): void {
  const keys = [
    'run',
    'checkpoint',
    'split',
    'mesh',
    'layout',
    'memoryLimit',
    'spillDir',
    'device',
    'threads',
    'flips',
  ] as const;
  const given = [...keys, 'exactConv' as const].find((key) => flags[key] !== undefined);
  if (given === undefined) return;
  const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError({
    where: '--predictions',
    problem: `cannot stand beside ${flag}`,
    hint: 'Label maps are compared without a network',
  });
}
