import { writeTextAtomically } from '../../files/index.ts';
import type { Shape3 } from '../../imaging/index.ts';
import { alone, type Processes } from '../../machine/index.ts';
import { plainly, type Session, together } from '../../run/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { grantedBytes } from '../config/memory-room.ts';
import { judgedNames, sessionOf } from '../config/model.ts';
import { Programs } from '../config/programs.ts';
import { withLoss } from '../config/task/loss.ts';
import { type BestScore, better, checkBest, meanScore, scoreBy } from '../record/best.ts';
import { saveCheckpoint } from '../record/checkpoint.ts';
import { beginWith } from '../record/first-weights.ts';
import { appendLog, cutLog, type StepLine, startLog, type ValidationLine } from '../record/log.ts';
import { loadNetwork } from '../record/network-file.ts';
import { keepPrevious, loadNewest, rateJump } from '../record/resume.ts';
import { type RunFolder, runFolder } from '../record/run-folder.ts';
import { type TakenRun, takeRun } from '../record/run-place.ts';
import { openSameDataset } from '../record/same-files.ts';
import { type ChosenCases, chooseCases, trainingBytes, volumesOfStep } from '../samples/cases.ts';
import { withPercentiles } from '../samples/percentiles.ts';
import { withPlannedNetwork } from '../samples/planned-network.ts';
import { withDataset } from '../samples/preprocessed.ts';
import { type Forecast, forecastCases } from './forecast.ts';
import { pace } from './pace.ts';
import { type RunCase, refuseImported, sameCases, writeRunData } from './run-data.ts';
import { RunPictures } from './run-pictures.ts';
import { measureStatistics } from './statistics.ts';
import type { TrainEvent, TrainOptions, TrainResult } from './train-events.ts';
import { Trainer } from './trainer.ts';
import { checkHeldOut, validate } from './validator.ts';

/**
 * Trains a network on the cases of a data set, by the config alone: the same config gives the same numbers, on any mesh (to
 * rounding), in one go or resumed (exactly). Writes config, log and checkpoints into the folder of the run.
 */
export async function train(asked: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  const begun = performance.now();
  const folder = runFolder(asked.out);
  refuseImported(asked);
  const { network, loss, tracer, processes = alone(1) } = options;
  const about = { folder, processes, given: network };
  const { config: given, text: module } = await loadNetwork(withLoss(asked, loss), about);
  const warn = (text: string): void => options.onEvent?.({ kind: 'warning', text });
  const dataset = await openSameDataset(processes, given.data, given);
  const known = withDataset(await withPercentiles(given, dataset, processes), dataset);
  const prepared = await withPlannedNetwork(known, dataset);
  // The first process writes into the folder: nobody else looks there, and none goes on before it has.
  const taken = await together(processes, 'check of the run folder', () =>
    processes.index === 0 ? takeRun(folder, prepared, warn, options.resume) : undefined,
  );
  try {
    const chosen = chooseCases(dataset, prepared);
    checkBest(prepared, judgedNames(prepared, chosen.classes), chosen.validation.length);
    const config: TrainConfig = { ...prepared, classes: chosen.classes };
    const cases = await together(processes, 'data of the run', () =>
      taken === undefined ? undefined : sameCases(dataset, chosen, taken, warn),
    );
    const forecast = await forecastCases(config, chosen, chosen.classes.length, options);
    const shared = { tracer, processes: options.processes, grantedBytes: await grantedBytes(processes) };
    const session = sessionOf(forecast.config, shared);
    const programs = new Programs(session, { plans: forecast.plans });
    try {
      for (const { predictedPeakBytes } of forecast.whole ?? []) session.checkFits(predictedPeakBytes);
      const run = new Run({
        config,
        folder,
        chosen,
        session,
        programs,
        forecast,
        options,
        taken,
        cases,
        module,
      });
      await run.begin();
      await run.toTheEnd();
      const result = { ...run.outcome(), seconds: (performance.now() - begun) / 1000 };
      options.onEvent?.({ kind: 'done', result });
      return result;
    } finally {
      session.close();
      session.device.close();
    }
  } finally {
    taken?.lock.release();
  }
}

/** What a run in progress works with. */
interface RunParts {
  readonly config: TrainConfig;
  readonly folder: RunFolder;
  readonly chosen: ChosenCases;
  readonly session: Session;
  readonly programs: Programs;
  readonly forecast: Forecast;
  readonly options: TrainOptions;
  readonly taken: TakenRun | undefined;
  readonly cases: readonly RunCase[] | undefined;
  readonly module: string | undefined;
}

class Run {
  private step = 0;
  /** Steps that were done before this process came. */
  private firstStep = 0;
  /** Whether this process has read or written the latest checkpoint, which then is whole. */
  private saved = false;
  private best: BestScore | undefined;
  private pictures: RunPictures | undefined;
  private readonly lines: StepLine[] = [];
  private readonly validations: ValidationLine[] = [];
  private readonly config: TrainConfig;
  private readonly folder: RunFolder;
  private readonly chosen: ChosenCases;
  private readonly session: Session;
  private readonly processes: Processes;
  private readonly trainer: Trainer;
  private readonly forecast: Forecast;
  private readonly options: TrainOptions;
  private readonly taken: TakenRun | undefined;
  private readonly cases: readonly RunCase[] | undefined;
  private readonly module: string | undefined;

  constructor(parts: RunParts) {
    const { config, folder, chosen, session, programs, forecast, options, taken, cases, module } = parts;
    this.forecast = forecast;
    this.module = module;
    this.taken = taken;
    this.cases = cases;
    const { classes, training } = chosen;
    this.config = config;
    this.folder = folder;
    this.chosen = chosen;
    this.session = session;
    this.processes = session.world.processes;
    this.options = options;
    const { stored } = forecast;
    const volumes = { cases: training.length, stored, processes: this.processes.ranks.length };
    const hostBytes = (shape: Shape3) => trainingBytes({ ...volumes, ...volumesOfStep(config, shape) });
    this.trainer = new Trainer({ config, session, programs, cases: training, classes, stored, hostBytes });
  }

  /** Loads the first program and, where the run is resumed, what the last checkpoint holds. */
  async begin(): Promise<void> {
    const { config, folder, chosen, session } = this;
    await this.trainer.prepare(0, folder.classVoxels, this.processes, this.options.planning ?? plainly);
    const loaded = this.options.resume
      ? await loadNewest(this.processes, folder, session.variables, (text) => this.warn(text))
      : undefined;
    const init = loaded ? undefined : await beginWith(config.init, this.processes, session.variables);
    this.step = loaded?.step ?? 0;
    this.firstStep = this.step;
    this.saved = loaded?.file === folder.latest;
    this.best = loaded?.best;
    // A run that has come to its first validation has read them.
    if (this.step < config.checkpointEvery)
      await checkHeldOut(chosen.validation, this.trainer.reader, this.processes, this.options.signal);
    if (this.cases !== undefined) await writeRunData(folder, this.cases, this.forecast);
    if (this.writes && this.module !== undefined) await writeTextAtomically(folder.network, this.module);
    // Config before the log: a run of which there is a config can be resumed.
    if (this.writes) await writeTextAtomically(folder.config, `${JSON.stringify(config, null, 2)}\n`);
    if (this.writes && this.options.resume) {
      const lines = await cutLog(folder.log, this.step, (text) => this.warn(text));
      this.lines.push(...lines.filter((line) => line.kind === 'step'));
      this.validations.push(...lines.filter((line) => line.kind === 'validation'));
    } else if (this.writes) await startLog(folder.log);
    if (this.writes)
      this.pictures = await RunPictures.open(folder, this.step + 1, async (text) => {
        this.warn(text);
        await appendLog(folder.log, { kind: 'warning', step: this.step, text });
      });
    this.tell({
      kind: 'start',
      folder,
      steps: config.steps,
      firstStep: this.step + 1,
      classes: judgedNames(config, chosen.classes),
      training: chosen.training.map(({ id }) => id),
      validation: chosen.validation.map(({ id }) => id),
      unused: chosen.unused,
      plan: this.forecast.report,
      split: this.forecast.split,
      init,
    });
    this.warn(rateJump(this.taken?.before, config, this.step));
  }

  /** Steps until all are done or the signal says stop. */
  async toTheEnd(): Promise<void> {
    const { config, folder } = this;
    let stopped = this.outOfPatience || (await this.stopped());
    if (stopped && !this.saved) await this.save('latest');
    while (this.step < config.steps && !stopped) {
      const line = await this.trainer.step(this.step);
      this.step = line.step;
      this.taken?.lock.touch();
      this.lines.push(line);
      if (this.writes) await appendLog(folder.log, line);
      await this.pictures?.step(line);
      const secondsPerStep = pace(this.lines, this.firstStep, this.step);
      this.tell({ ...line, steps: config.steps, secondsPerStep });
      const due = this.step % config.checkpointEvery === 0 || this.step === config.steps;
      stopped = await this.stopped();
      if (!due && !stopped) continue;
      await measureStatistics(this.trainer.parts, this.trainer.reader);
      if (due) await this.keepBest();
      await this.save('latest');
      stopped = this.outOfPatience || (await this.stopped());
    }
  }

  /** Whether so many validations brought nothing that the run ends before its last step. */
  private get outOfPatience(): boolean {
    const { patience } = this.config;
    return patience !== undefined && (this.best?.since ?? 0) >= patience;
  }

  /** Whether this process writes files; the others work with it. */
  private get writes(): boolean {
    return this.processes.index === 0;
  }

  /** Whether any process was told to stop: all end after the same step. */
  private async stopped(): Promise<boolean> {
    const mine = this.options.signal?.aborted ? 'stop' : '';
    return (await this.processes.share('signal to stop', mine)).includes('stop');
  }

  outcome(): Omit<TrainResult, 'seconds'> {
    const { folder, step, best, lines } = this;
    const { steps } = this.config;
    const endedEarly = step < steps && this.outOfPatience;
    const interrupted = step < steps && !endedEarly;
    return {
      folder,
      step,
      steps,
      stepsDone: step - this.firstStep,
      interrupted,
      endedEarly,
      last: lines.at(-1),
      best,
    };
  }

  /** Saves the network as the best one if no earlier checkpoint was as good. */
  private async keepBest(): Promise<void> {
    const own = await this.score();
    // The first process alone has the steps before a resumption.
    const [text] = await this.processes.share('score', JSON.stringify(own));
    const score = JSON.parse(text) as number | null;
    const ofTraining = this.chosen.validation.length === 0;
    this.best = better(this.best, this.config.bestBy, this.step, score, ofTraining);
    if (this.best?.step === this.step) await this.save('best');
  }

  /**
   * How good the network is: on the validation cases if there are any, else in the training steps since the last checkpoint, an
   * epoch at least, since single steps differ by what augmentation made of the case.
   */
  private async score(): Promise<number | null> {
    const { bestBy, checkpointEvery } = this.config;
    const { validation } = this.chosen;
    if (validation.length === 0)
      return meanScore(bestBy, this.lines.slice(-Math.max(checkpointEvery, this.trainer.stepsPerEpoch)));
    const judged = await validate(this.trainer.parts, validation, this.trainer.reader);
    const line = { kind: 'validation', step: this.step, ...judged } as const;
    if (this.writes) await appendLog(this.folder.log, line);
    await this.pictures?.validation(line);
    this.validations.push(line);
    this.tell(line);
    return scoreBy(bestBy, judged);
  }

  private async save(which: 'latest' | 'best'): Promise<void> {
    const { config, step, best, folder } = this;
    const file = folder[which];
    const metadata: Record<string, string> = best === undefined ? {} : { best: JSON.stringify(best) };
    if (which === 'latest') {
      if (this.writes && this.saved) keepPrevious(folder);
      this.saved = true;
    }
    await saveCheckpoint(file, { variables: this.session.variables, step, config, metadata });
    if (which === 'latest') await this.pictures?.draw(this.lines, this.validations);
    this.tell({ kind: 'checkpoint', file, step, which });
  }

  private warn(text: string | undefined): void {
    if (text !== undefined) this.tell({ kind: 'warning', text });
  }

  private tell(event: TrainEvent): void {
    this.options.onEvent?.(event);
  }
}
