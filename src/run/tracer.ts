import { rate, type TraceEvent } from './trace.ts';

/** One run of a program: a training step, a prediction. */
export interface TraceRun {
  readonly name: string;
  /** Milliseconds since the tracer was made. */
  readonly start: number;
  /** Absent while it runs, and where it never ended. */
  duration?: number;
  readonly events: TraceEvent[];
}

export interface TracerOptions {
  /** Runs that are kept; older ones are forgotten, so that a long training does not fill memory. */
  readonly keep?: number;
}

const KEEP = 20;

/**
 * Collects what every rank does and when, over the last runs of a session's programs. Its text is in Chrome's trace format, which
 * Perfetto (ui.perfetto.dev) opens: a row for the runs and one for each rank.
 */
export class Tracer {
  /** The last runs, oldest first. */
  readonly runs: TraceRun[] = [];
  /** What messages between processes travel by, where there is a choice. */
  transport?: string;
  private readonly keep: number;
  private readonly origin = performance.now();
  private nextName: string | undefined;
  private counted = 0;

  constructor({ keep = KEEP }: TracerOptions = {}) {
    this.keep = keep;
  }

  /** Milliseconds since the tracer was made. */
  now(): number {
    return performance.now() - this.origin;
  }

  /** Names the run that begins next, such as `step 3`. */
  next(name: string): void {
    this.nextName = name;
  }

  /** `program` names the run where `next` did not. */
  beginRun(program = 'run'): void {
    this.counted++;
    const name = this.nextName ?? `${program} (run ${this.counted})`;
    this.nextName = undefined;
    this.runs.push({ name, start: this.now(), events: [] });
    if (this.runs.length > this.keep) this.runs.shift();
  }

  endRun(): void {
    const run = this.runs.at(-1);
    if (run) run.duration = this.now() - run.start;
  }

  add(event: TraceEvent): void {
    if (this.runs.length === 0) this.beginRun();
    this.runs.at(-1)!.events.push(event);
  }

  /** All events of the runs that are kept. */
  get events(): readonly TraceEvent[] {
    return this.runs.flatMap((run) => run.events);
  }

  /** The file, a run at a time: what there is, at any time, also while a run is under way. */
  *text(): Generator<string> {
    const ranks = [...new Set(this.events.map((event) => event.rank))].sort((a, b) => a - b);
    const names = [
      { name: 'process_name', ph: 'M', pid: 0, tid: 0, args: { name: 'halomesh' } },
      ...(this.transport === undefined
        ? []
        : [
            {
              name: 'process_labels',
              ph: 'M',
              pid: 0,
              tid: 0,
              args: { labels: `messages by ${this.transport}` },
            },
          ]),
      ...row(0, 'runs'),
      ...ranks.flatMap((rank) => row(rank + 1, `rank ${rank}`)),
    ];
    yield `{"displayTimeUnit":"ms","traceEvents":[\n${names.map((event) => JSON.stringify(event)).join(',\n')}`;
    for (const run of this.runs) {
      const events = [this.showRun(run), ...run.events.map((event) => showKernel(event, run.name))];
      yield `,\n${events.map((event) => JSON.stringify(event)).join(',\n')}`;
    }
    yield '\n]}\n';
  }

  private showRun({ name, start, duration }: TraceRun) {
    const args = duration === undefined ? { state: 'did not end' } : {};
    const dur = duration ?? this.now() - start;
    return { name, ph: 'X', pid: 0, tid: 0, ts: 1000 * start, dur: 1000 * dur, args };
  }
}

/** Name and place of a row. */
function row(tid: number, name: string) {
  return [
    { name: 'thread_name', ph: 'M', pid: 0, tid, args: { name } },
    { name: 'thread_sort_index', ph: 'M', pid: 0, tid, args: { sort_index: tid } },
  ];
}

function showKernel(event: TraceEvent, run: string) {
  const { name, part, rank, start, duration, waited, scope, text, flops, bytes } = event;
  const worked = duration - waited;
  const args = {
    layer: scope,
    run,
    'GFLOP/s': rate(flops, worked),
    'GB/s': rate(bytes, worked),
    bytes,
    ...(waited > 0 ? { 'ms waited': Math.round(1000 * waited) / 1000 } : {}),
    kernel: text,
  };
  const shown = part === undefined ? name : `${name} ${part}`;
  return { name: shown, ph: 'X', pid: 0, tid: rank + 1, ts: 1000 * start, dur: 1000 * duration, args };
}
