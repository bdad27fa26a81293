import cliProgress from 'cli-progress';
import { printable, printableLines } from '../../core/index.ts';

/** Where progress is written: stderr, so that stdout carries results only. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface ProgressOptions {
  /** What is counted, such as `step`. */
  readonly unit: string;
  readonly total: number;
  /** What was done before, such as the steps of a resumed run. */
  readonly start?: number;
  readonly output?: Output;
  /** Shows nothing: another process does. */
  readonly silent?: boolean;
  /** Seconds between two lines where the output is no terminal. */
  readonly every?: number;
  /** Milliseconds, rising. */
  readonly clock?: () => number;
}

/** How far something is: a bar with its time left on a terminal, else a line now and then. */
export interface Progress {
  /** `facts` such as `loss 0.123` stand behind the count. */
  update(done: number, facts?: readonly string[]): void;
  /** Writes a line of its own, above the bar. */
  note(line: string): void;
  /** Does work during which a signal may end the process at once: the terminal is as it was before the bar. */
  rest<T>(work: () => T): T;
  /** Ends the bar; whatever is written next begins on a new line. */
  stop(): void;
}

/** Shows progress on `output`; stderr by default. */
export function showProgress(options: ProgressOptions): Progress {
  if (options.silent) return SILENCE;
  const output: Output = options.output ?? process.stderr;
  const left = timeLeft(options);
  return output.isTTY ? bar(options, output, left) : lines(options, output, left);
}

const SILENCE: Progress = {
  update: () => undefined,
  note: () => undefined,
  rest: (work) => work(),
  stop: () => undefined,
};

/** `h:mm:ss`, or `m:ss` below an hour. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Tells the seconds left from the pace of the last updates, so that a slow first one does not spoil it. */
function timeLeft({ total, start = 0, clock = () => performance.now() }: ProgressOptions) {
  const recent: { readonly done: number; readonly at: number }[] = [{ done: start, at: clock() }];
  return (done: number): number | undefined => {
    recent.push({ done, at: clock() });
    if (recent.length > 30) recent.shift();
    // Between the first two lies whatever was prepared before.
    const from = recent.length > 2 && recent[0].done === start ? recent[1] : recent[0];
    const pace = (clock() - from.at) / 1000 / Math.max(1, done - from.done);
    return done > from.done ? pace * (total - done) : undefined;
  };
}

type Left = ReturnType<typeof timeLeft>;

function bar({ unit, total, start = 0 }: ProgressOptions, output: Output, left: Left): Progress {
  // The texts behind the bar need about 70 columns.
  const room = (output.columns ?? 100) - 72;
  const view = new cliProgress.SingleBar(
    {
      format: `${unit} {value}/{total} {bar} {percentage}%{facts}`,
      stream: output,
      barsize: Math.min(30, Math.max(6, room)),
      hideCursor: true,
      fps: 5,
      linewrap: false,
      // Ends the bar, but leaves the signal to those who handle it.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  // The bar hides the cursor and keeps lines from wrapping; a process that ends under it gives both back.
  const [hidden, usual] = ['\u001b[?25l\u001b[?7l', '\u001b[?25h\u001b[?7h'];
  const restore = (): void => {
    output.write(`${usual}\n`);
  };
  const ready = (): void => {
    if (view.isActive) return;
    view.start(total, start, { facts: '' });
    process.once('exit', restore);
  };
  return {
    update(done, facts = []) {
      ready();
      const seconds = left(done);
      const all = seconds === undefined ? facts : [...facts, `${duration(seconds)} left`];
      view.update(done, { facts: all.map((fact) => ` | ${printable(fact)}`).join('') });
    },
    note(line) {
      const shown = printableLines(line);
      output.write(view.isActive ? `\r\u001b[K${shown}\n` : `${shown}\n`);
    },
    rest(work) {
      if (!view.isActive) return work();
      output.write(usual);
      try {
        return work();
      } finally {
        output.write(hidden);
      }
    },
    stop() {
      if (!view.isActive) return;
      view.stop();
      process.off('exit', restore);
    },
  };
}

function lines(options: ProgressOptions, output: Output, left: Left): Progress {
  const { unit, total, every = 10, clock = () => performance.now() } = options;
  let shown = Number.NEGATIVE_INFINITY;
  return {
    update(done, facts = []) {
      const seconds = left(done);
      if (done < total && (clock() - shown) / 1000 < every) return;
      shown = clock();
      const all = seconds === undefined || done === total ? facts : [...facts, `${duration(seconds)} left`];
      output.write(`${unit} ${done}/${total}${all.map((fact) => `, ${printable(fact)}`).join('')}\n`);
    },
    note(line) {
      output.write(`${printableLines(line)}\n`);
    },
    rest: (work) => work(),
    stop() {},
  };
}
