import path from 'node:path';
import { systemErrorText } from '../../files/index.ts';
import { drawProgress } from '../pictures/index.ts';
import type { StepLine, ValidationLine } from '../record/log.ts';
import type { RunFolder } from '../record/run-folder.ts';
import { EventWriter, stepScalars, validationScalars } from '../tensorboard/index.ts';

/** Told of what cannot be written. */
type Warn = (text: string) => Promise<void>;

/**
 * The files of a run that show what its log holds: events for TensorBoard, and a chart. Training goes on where one of them cannot be
 * written, and says so once: nothing is lost with it.
 */
export class RunPictures {
  private readonly folder: RunFolder;
  private readonly warn: Warn;
  /** Absent once it could not be written: what follows a damaged event is not read. */
  private events: EventWriter | undefined;
  private readonly told = new Set<string>();

  private constructor(folder: RunFolder, warn: Warn) {
    this.folder = folder;
    this.warn = warn;
  }

  /** `step`: the first one to come. */
  static async open(folder: RunFolder, step: number, warn: Warn): Promise<RunPictures> {
    const pictures = new RunPictures(folder, warn);
    await pictures.attempt(folder.tensorboard, async () => {
      pictures.events = await EventWriter.open(folder.tensorboard, step);
    });
    return pictures;
  }

  async step(line: StepLine): Promise<void> {
    await this.scalars(line.step, stepScalars(line));
  }

  async validation(line: ValidationLine): Promise<void> {
    await this.scalars(line.step, validationScalars(line));
  }

  /** Draws the chart anew. */
  async draw(lines: readonly StepLine[], validations: readonly ValidationLine[]): Promise<void> {
    if (lines.length === 0) return;
    await this.attempt(this.folder.progress, async () =>
      drawProgress(lines, this.folder.progress, {
        validation: validations,
        title: `${path.basename(path.resolve(this.folder.dir))}, step ${lines[lines.length - 1].step}`,
      }),
    );
  }

  private async scalars(step: number, values: Parameters<EventWriter['scalars']>[1]): Promise<void> {
    const { events } = this;
    this.events = undefined;
    await this.attempt(this.folder.tensorboard, async () => {
      await events?.scalars(step, values);
      this.events = events;
    });
  }

  private async attempt(file: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const problem = systemErrorText(error) ?? error.message;
      if (this.told.has(file)) return;
      this.told.add(file);
      await this.warn(`${problem}. Training goes on without: log.jsonl has all numbers`);
    }
  }
}
