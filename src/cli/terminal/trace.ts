import { checkOutputs } from '../../files/index.ts';
import { Tracer } from '../../run/index.ts';
import { machineFile } from '../../train/config/machine-file.ts';
import { checkTraceFile, writeTrace } from '../../train/record/trace-file.ts';
import { onInterrupt } from './interrupt.ts';
import { EXIT, errorLine } from './report-error.ts';
import { tell } from './say.ts';
import { relative } from './words.ts';

/** Milliseconds between two times that the file is brought up to date, for processes that are ended from outside. */
const EVERY = 30_000;

export interface TraceOptions {
  /** Ctrl-C ends the process, as it does without a tracer; else the body deals with it. */
  readonly endsAtOnce?: boolean;
  /** Whether a file that is there is replaced. */
  readonly overwrite?: boolean;
  /** Files, and folders of files, that the body reads: none of them is replaced. */
  readonly reads?: readonly (string | undefined)[];
}

/**
 * Runs `body` with a tracer and writes the trace: every half minute, when the body ends or fails, and when the process exits
 * before. Refuses a file that cannot be written before anything runs. Without a file there is no tracer.
 */
export async function traced<T>(
  file: string | undefined,
  body: (tracer: Tracer | undefined) => Promise<T>,
  { endsAtOnce = false, overwrite, reads = [] }: TraceOptions = {},
): Promise<T> {
  if (file === undefined) return body(undefined);
  checkOutputs({ reads: [...reads, machineFile()], writes: [file], overwrite });
  checkTraceFile(file);
  const tracer = new Tracer();
  const note = (line: string): void => {
    tell(line);
  };
  const save = (): void => writeTrace(file, tracer);
  const trySave = (): void => {
    try {
      save();
    } catch (error) {
      // Work goes on, or ends for another reason, which must not be hidden.
      note(`halomesh: ${errorLine(error)}`);
    }
  };
  process.on('exit', trySave);
  const interruption = endsAtOnce ? onInterrupt(() => process.exit(EXIT.interrupted)) : undefined;
  const timer = setInterval(trySave, EVERY).unref();
  let result: T;
  try {
    result = await body(tracer);
  } catch (error) {
    trySave();
    throw error;
  } finally {
    clearInterval(timer);
    interruption?.stop();
    process.off('exit', trySave);
  }
  save();
  note(`trace in ${relative(file)}: open it at https://ui.perfetto.dev`);
  return result;
}
