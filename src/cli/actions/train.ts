import path from 'node:path';
import type { Processes } from '../../machine/index.ts';
import { bytes } from '../../plan/index.ts';
import type { Tracer } from '../../run/index.ts';
import {
  type BestScore,
  checkThere,
  configOfFolder,
  type DiceByClass,
  filesOfRun,
  mergeConfig,
  meshOf,
  placeOfRun,
  resolveConfig,
  runFolder,
  type StartEvent,
  type StepEvent,
  settingIn,
  type TrainConfig,
  type TrainResult,
  train,
  type ValidationEvent,
} from '../../train/index.ts';
import { givenConfig, need } from '../flags/given.ts';
import type { TrainFlags } from '../flags/train-flags.ts';
import { endsOnSignals, onInterrupt } from '../terminal/interrupt.ts';
import { join, onAll } from '../terminal/processes.ts';
import { type Progress, showProgress } from '../terminal/progress.ts';
import { Interrupted } from '../terminal/report-error.ts';
import { say, tell } from '../terminal/say.ts';
import { talks } from '../terminal/talks.ts';
import { traced } from '../terminal/trace.ts';
import { workUnread } from '../terminal/unread.ts';
import { onUsable } from '../terminal/usable-device.ts';
import { type Watch, watchRun } from '../terminal/watch.ts';
import { commandName, quoted, relative } from '../terminal/words.ts';

/** Runs `halomesh train`. */
export async function trainAction(flags: TrainFlags): Promise<void> {
  const given = await onAll('the configuration', () => trainConfig(flags));
  const { threads: _t, memoryLimit: _m, spillDir: _d, ...settings } = given;
  const { processes, threads } = await join(given.split === 'auto' ? 'auto' : meshOf(given).mesh, settings);
  const config = { ...given, threads: flags.threads ?? threads ?? given.threads };
  const result = await traced(
    talks() ? flags.trace : undefined,
    (tracer) => runTraining(config, { resume: flags.resume, watch: flags.watch, tracer, processes }),
    { overwrite: flags.overwrite, reads: flags.trace === undefined ? [] : filesRead(flags, config) },
  );
  if (!talks()) return;
  for (const line of doneLines(config, result)) say(line);
}

/** What a training reads, by the names that it is given. */
function filesRead(flags: TrainFlags, config: TrainConfig): (string | undefined)[] {
  const { data, out, init, validation } = config;
  const { network } = givenConfig(flags).given;
  const runs = [out, ...(init === undefined ? [] : [init])].flatMap((run) => filesOfRun(placeOfRun(run)));
  const modules = typeof network === 'string' ? [network] : [];
  const splits = typeof validation === 'string' ? [validation] : [];
  return [data, flags.config, init, ...modules, ...splits, ...runs];
}

/** The whole config of a command line; a resumed run begins with its own. */
async function trainConfig(flags: TrainFlags): Promise<TrainConfig> {
  const { given, nameOf } = givenConfig(flags);
  need(given, 'out', 'the folder of the run');
  const run = runFolder(path.resolve(String(given.out)));
  if (flags.resume) checkThere(run);
  const before = flags.resume ? await configOfFolder(run) : {};
  const all = mergeConfig(before, given);
  need(all, 'data', 'the folder of a data set');
  return onUsable(resolveConfig(all, nameOf(settingIn(flags.resume ? run.config : 'config'))), given);
}

export interface RunTrainingOptions {
  /** Go on from the last checkpoint. */
  readonly resume?: boolean;
  /** Serve a page that shows it. */
  readonly watch?: boolean;
  /** End in order, as if all steps were done, when this time is over. */
  readonly mostSeconds?: number;
  readonly tracer?: Tracer;
  /** See {@link TrainOptions}. */
  readonly processes?: Processes;
}

/** Trains, shows how far it is, and ends in order when the user presses Ctrl-C. Throws {@link Interrupted} then. */
export async function runTraining(
  config: TrainConfig,
  { resume, watch, mostSeconds, tracer, processes }: RunTrainingOptions = {},
): Promise<TrainResult> {
  workUnread();
  let progress: Progress | undefined;
  let page: Watch | undefined;
  const interruption = onInterrupt(() => {
    if (!talks()) return;
    const line = 'Stopping after this step. Press Ctrl-C again to end at once, without saving.';
    if (progress) progress.note(line);
    else tell(line);
  });
  const late = mostSeconds === undefined ? [] : [AbortSignal.timeout(mostSeconds * 1000)];
  try {
    const result = await train(config, {
      resume,
      tracer,
      processes,
      planning: endsOnSignals,
      signal: AbortSignal.any([interruption.signal, ...late]),
      onEvent: (event) => {
        if (!talks()) return;
        if (event.kind === 'start') {
          for (const line of startLines(event)) say(line);
          if (watch) page = watchRun(event.folder.dir, (line) => (progress?.note ?? say)(line));
          progress = showProgress({ unit: 'step', total: event.steps, start: event.firstStep - 1 });
        } else if (event.kind === 'warning') (progress?.note ?? tell)(`warning: ${event.text}`);
        else if (event.kind === 'step') progress?.update(event.step, stepFacts(event));
        else if (event.kind === 'validation') progress?.note(validationLine(event));
      },
    });
    progress?.stop();
    if (result.interrupted && (interruption.signal.aborted || !late.some(({ aborted }) => aborted)))
      throw new Interrupted(resumeLine(config, result), interruption.code);
    return result;
  } finally {
    page?.stop();
    progress?.stop();
    interruption.stop();
  }
}

function startLines({
  training,
  validation,
  classes,
  unused,
  plan,
  firstStep,
  steps,
  folder,
  split,
  init,
}: StartEvent): string[] {
  const held = validation.length > 0 ? `, ${cases(validation.length)} held out for validation` : '';
  const resumed =
    firstStep > steps
      ? `; its ${steps} steps are done already`
      : firstStep > 1
        ? `; goes on with step ${firstStep} of ${steps}`
        : '';
  return [
    `data      ${cases(training.length)} to train on${held}; classes ${some(classes)}`,
    ...(unused.length === 0 ? [] : [`not used  ${unusedLine(unused)}`]),
    ...(split === undefined ? [] : [`split     ${split}`]),
    `mesh      ${plan.ranks.length === 1 ? '1 rank' : `${plan.ranks.length} ranks (${plan.mesh})`}`,
    `network   ${plan.parameters.toLocaleString('en')} parameters, ${(plan.flops / 1e9).toFixed(1)} GFLOP a step`,
    `memory    ${bytes(plan.predictedPeakBytes)} predicted; ${bytes(plan.bytesSent.total)} sent between ranks in a step`,
    ...(init === undefined ? [] : initLines(init)),
    `run       ${relative(folder.dir)}${resumed}`,
  ];
}

/** Which weights begin as those of another run, layer by layer. */
const initLines = ({ file, layers }: NonNullable<StartEvent['init']>): string[] => [
  `init      ${relative(file)}`,
  ...layers.map(
    ({ layer, all, taken, why }) =>
      `          ${layer}: ${taken === all ? `all ${all}` : `${taken} of ${all}`} taken${why === undefined ? '' : `; ${why}`}`,
  ),
];

const unusedLine = (files: readonly string[]): string =>
  `${files.length} ${files.length === 1 ? 'file' : 'files'} in no case: ${files.slice(0, 3).join(', ')}${files.length > 3 ? '...' : ''}`;

const cases = (count: number): string => `${count} ${count === 1 ? 'case' : 'cases'}`;

/** Names of which a line has room for all. */
const FEW = 8;
/** Of more, those that are told. */
const WORST = 3;

const some = (names: readonly string[]): string =>
  names.length <= FEW
    ? names.join(', ')
    : `${names.slice(0, FEW - 1).join(', ')} and ${names.length - FEW + 1} more`;

/** Dice of few classes one by one; of many their mean, and the worst. The log has all. */
function diceText(dice: DiceByClass, digits: number, none?: string): string {
  const known = Object.entries(dice).flatMap(([name, score]) => (score === null ? [] : [{ name, score }]));
  const show = ({ name, score }: { name: string; score: number }): string =>
    `${name} ${score.toFixed(digits)}`;
  if (Object.keys(dice).length > FEW && known.length > 0) {
    const mean = known.reduce((sum, { score }) => sum + score, 0) / known.length;
    const worst = known.toSorted((a, b) => a.score - b.score).slice(0, WORST);
    return `mean ${mean.toFixed(digits)} of ${known.length} classes (worst ${worst.map(show).join(', ')})`;
  }
  if (none === undefined) return known.map(show).join(', ');
  return Object.entries(dice)
    .map(([name, score]) => (score === null ? `${name} ${none}` : show({ name, score })))
    .join(', ');
}

function validationLine({ step, loss, dice, auc, accuracy }: ValidationEvent): string {
  if (accuracy !== undefined)
    return `step ${step}: validation AUC ${auc?.toFixed(3) ?? '-'}, accuracy ${accuracy?.toFixed(3) ?? '-'}, loss ${loss.toFixed(4)}`;
  return `step ${step}: validation Dice ${diceText(dice, 3, '-')}, loss ${loss.toFixed(4)}`;
}

/** The share of a step in which its device waited for the host, in percent. */
const idlePercent = (seconds: number, worked: number): string =>
  (100 * Math.max(0, 1 - worked / seconds)).toFixed(0);

/** What stands beside the progress of a step. */
export function stepFacts({
  loss,
  dice,
  accuracy,
  secondsPerStep,
  seconds,
  deviceSeconds,
}: StepEvent): string[] {
  const scores = diceText(dice, 2);
  return [
    `loss ${loss.toFixed(4)}`,
    ...(scores === '' ? [] : [`Dice ${scores}`]),
    ...(typeof accuracy === 'number' ? [`accuracy ${accuracy.toFixed(2)}`] : []),
    `${secondsPerStep.toFixed(2)} s/step`,
    ...(deviceSeconds === undefined ? [] : [`device idle ${idlePercent(seconds, deviceSeconds)} %`]),
  ];
}

function doneLines(config: TrainConfig, result: TrainResult): string[] {
  const { step, seconds, best, last, folder, endedEarly } = result;
  const name = commandName();
  const run = quoted(relative(folder.dir));
  const loss = last === undefined ? '' : `, loss ${last.loss.toFixed(4)}`;
  const score =
    best === undefined ? '' : `; best at step ${best.step} with ${measure(best)} ${best.score.toFixed(3)}`;
  const early = endedEarly ? ', as it got no better' : '';
  const did = `${step} ${step === 1 ? 'step' : 'steps'}`;
  const done =
    result.stepsDone > 0 || endedEarly
      ? `${did} in ${seconds.toFixed(0)} s${early}`
      : `all ${did} were done before`;
  return [
    `done      ${done}${loss}${score}`,
    ...(result.stepsDone > 0 || endedEarly
      ? []
      : [
          `more      ${name} train --out ${run} --resume --steps ${2 * step}    # any number above ${step} goes on`,
        ]),
    `next      ${name} evaluate --run ${run} --data ${quoted(relative(config.data))}`,
    `          ${name} predict --run ${run} --input FILE --output FILE`,
  ];
}

function measure({ by, ofTraining }: BestScore): string {
  const what = ofTraining ? 'training ' : 'validation ';
  if (by === 'loss') return `a ${what}loss of`;
  if (by === 'auc') return `a ${what}AUC of`;
  if (by === 'accuracy') return `a ${what}accuracy of`;
  return by === 'dice' ? `a mean ${what}Dice of` : `a ${what}Dice (${by.slice('dice:'.length)}) of`;
}

function resumeLine(config: TrainConfig, { step, steps }: TrainResult): string {
  const command = `${commandName()} train --out ${quoted(relative(config.out))} --resume`;
  const where = step === 0 ? `before the first of ${steps} steps` : `after step ${step} of ${steps}`;
  return `stopped ${where} and saved. Resume with: ${command}`;
}
