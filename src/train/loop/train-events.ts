import type { StopSignal } from '../../core/index.ts';
import type { Processes } from '../../machine/index.ts';
import type { LossFunction, NetworkFunction } from '../../nn/index.ts';
import type { PlanReport } from '../../plan/index.ts';
import type { InOnePiece, Tracer } from '../../run/index.ts';
import type { BestScore } from '../record/best.ts';
import type { TakenWeights } from '../record/first-weights.ts';
import type { StepLine, ValidationLine } from '../record/log.ts';
import type { RunFolder } from '../record/run-folder.ts';

/** What happens in a training run. */
export type TrainEvent =
  | StartEvent
  | WarningEvent
  | StepEvent
  | ValidationEvent
  | CheckpointEvent
  | DoneEvent;

/** All is read, planned and loaded; the first step comes next. */
export interface StartEvent {
  readonly kind: 'start';
  readonly folder: RunFolder;
  /** Steps in all. */
  readonly steps: number;
  /** The first step to come, from 1: above 1 in a resumed run. */
  readonly firstStep: number;
  /** Names of what is learnt: the background and classes, or regions. */
  readonly classes: readonly string[];
  /** Ids. */
  readonly training: readonly string[];
  readonly validation: readonly string[];
  /** Files of scans in the folders of the data set that are in none of its cases, as paths from it. */
  readonly unused: readonly string[];
  /** Ranks, work, memory and communication of a step. */
  readonly plan: PlanReport;
  /** What split was chosen and why, where the choice was left to the program. */
  readonly split?: string;
  /** Which weights begin as those of another run. */
  readonly init?: TakenWeights;
}

/** Something that is not as it should be, or not as one may expect; training goes on. */
export interface WarningEvent {
  readonly kind: 'warning';
  readonly text: string;
}

/** A step was done. */
export interface StepEvent extends StepLine {
  /** Steps in all. */
  readonly steps: number;
  /** Mean over the last steps, without the first of the run. */
  readonly secondsPerStep: number;
}

/** The network was judged on the validation cases. */
export type ValidationEvent = ValidationLine;

/** A checkpoint is whole on the disk. */
export interface CheckpointEvent {
  readonly kind: 'checkpoint';
  readonly file: string;
  readonly step: number;
  readonly which: 'latest' | 'best';
}

export interface DoneEvent {
  readonly kind: 'done';
  readonly result: TrainResult;
}

export interface TrainResult {
  readonly folder: RunFolder;
  /** Steps done, those of earlier parts of the run counted. */
  readonly step: number;
  readonly steps: number;
  /** Steps of this call. */
  readonly stepsDone: number;
  /** True when the signal ended it before the last step. */
  readonly interrupted: boolean;
  /** True when validations brought nothing better for as long as the patience of the config. */
  readonly endedEarly: boolean;
  /** What the last step gave; absent where there was no step to do. */
  readonly last?: StepLine;
  readonly best?: BestScore;
  /** From the call to its end. */
  readonly seconds: number;
}

export interface TrainOptions {
  /** Go on from the last checkpoint in the run's folder. */
  readonly resume?: boolean;
  /** Told of everything that happens, as it happens. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** When it is aborted, the step in progress is finished and saved; of several processes any one's counts for all. */
  readonly signal?: StopSignal;
  /** The processes that run the ranks of the mesh; this one alone by default. All call the same. */
  readonly processes?: Processes;
  /** Does what comes before the first step, when nothing is there to be saved. */
  readonly planning?: InOnePiece;
  /** Collects where the time goes. */
  readonly tracer?: Tracer;
  /** A network given as a function, in place of one of the config. Who opens the run gives it again. */
  readonly network?: NetworkFunction;
  /** A loss given as a function, in place of the terms of the config. Who resumes the run gives it again. */
  readonly loss?: LossFunction;
}
