import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { cannotWrite, makeFolder } from '../../files/index.ts';
import { type EventContent, encodeEvent, type PngImage } from './events.ts';
import { record } from './records.ts';

/**
 * Writes an event file for TensorBoard. Each start of a run begins a file of its own, as TensorBoard expects, whose first events
 * say from which step on it counts: what an earlier file has of later steps is dropped by the reader.
 */
export class EventWriter {
  readonly file: string;

  private constructor(file: string) {
    this.file = file;
  }

  /** Begins a file in a folder; `step`: the first one to come. */
  static async open(folder: string, step: number): Promise<EventWriter> {
    makeFolder(folder);
    // Files are read in the order of their names: one more than any that is there, should the clock stand still or go back.
    const times = (await readdir(folder)).map((name) =>
      Number(/^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1] ?? 0),
    );
    const time = Math.max(Math.floor(Date.now() / 1000), ...times.map((other) => other + 1));
    const host = hostname().replace(/[^A-Za-z0-9.-]/g, '-');
    const writer = new EventWriter(path.join(folder, `events.out.tfevents.${time}.${host}.halomesh`));
    const first = writer.encode({ kind: 'version' }, 0);
    await writeFile(writer.file, first, { flag: 'wx' }).catch((error: unknown) =>
      cannotWrite(writer.file, error),
    );
    await writer.append({ kind: 'start' }, step);
    return writer;
  }

  /** Adds numbers, by name, at a step. Those that are no finite numbers are left out. */
  async scalars(step: number, values: Readonly<Record<string, number | null | undefined>>): Promise<void> {
    const scalars = Object.fromEntries(
      Object.entries(values).filter((pair): pair is [string, number] => Number.isFinite(pair[1])),
    );
    await this.append({ kind: 'summary', scalars }, step);
  }

  /** Adds pictures, by name, at a step. */
  async images(step: number, images: Readonly<Record<string, PngImage>>): Promise<void> {
    await this.append({ kind: 'summary', images }, step);
  }

  private encode(content: EventContent, step: number): Buffer {
    return record(encodeEvent(content, step, Date.now() / 1000));
  }

  private append(content: EventContent, step: number): Promise<void> {
    return appendFile(this.file, this.encode(content, step)).catch((error: unknown) =>
      cannotWrite(this.file, error),
    );
  }
}
