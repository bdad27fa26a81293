import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { BYTES, boxVolume, type TensorType } from '../core/index.ts';
import { type PlanStep, showPlanStep } from '../plan/index.ts';

// Where the time of a run goes.
//
//   HALOMESH_DEBUG  1  the plan when a program is loaded
//                   2  and every operation with its time, GFLOP/s and GB/s
//                   3  and the boxes that it runs over and the bytes that it moves

/** Level of HALOMESH_DEBUG; 0 when it is not set. */
export function debugLevel(): number {
  return Number(process.env.HALOMESH_DEBUG ?? 0) || 0;
}

/** One step of one rank. */
export interface TraceEvent {
  readonly rank: number;
  /** The operation and what is fused with it. */
  readonly name: string;
  /** Scope path of the layer. */
  readonly scope: string;
  /** Milliseconds since the tracer was made, and how long it took. */
  readonly start: number;
  readonly duration: number;
  readonly flops: number;
  /** Bytes of the stored tensors that it reads and writes. */
  readonly bytes: number;
}

/** Collects what every rank does and when; writes Chrome's trace format, which Perfetto opens: one row a rank. */
export class Tracer {
  readonly events: TraceEvent[] = [];
  private readonly origin = performance.now();

  now(): number {
    return performance.now() - this.origin;
  }

  add(event: TraceEvent): void {
    this.events.push(event);
  }

  /** Writes the events to a file, through a temporary one. */
  async write(file: string): Promise<void> {
    const partial = `${file}.partial`;
    const out = createWriteStream(partial);
    out.write('{"displayTimeUnit":"ms","traceEvents":[\n');
    const ranks = [...new Set(this.events.map((e) => e.rank))];
    const lines = ranks.map((rank) =>
      JSON.stringify({ name: 'thread_name', ph: 'M', pid: 0, tid: rank, args: { name: `rank ${rank}` } }),
    );
    for (const e of this.events) {
      const args = {
        layer: e.scope,
        'GFLOP/s': rate(e.flops, e.duration),
        'GB/s': rate(e.bytes, e.duration),
      };
      lines.push(
        JSON.stringify({
          name: e.name,
          ph: 'X',
          pid: 0,
          tid: e.rank,
          ts: e.start * 1000,
          dur: e.duration * 1000,
          args,
        }),
      );
    }
    out.end(`${lines.join(',\n')}\n]}\n`);
    await once(out, 'finish');
    await rename(partial, file);
  }
}

/** Billions a second: 10^9 of `amount` over `milliseconds`. */
export function rate(amount: number, milliseconds: number): number {
  return Math.round(amount / 1e4 / Math.max(milliseconds, 1e-3)) / 100;
}

/** What is known of a step before it runs. */
export function describeStep(
  step: PlanStep,
  rank: number,
  again = false,
): Pick<TraceEvent, 'name' | 'scope' | 'flops' | 'bytes'> {
  const size = (
    value: TensorType & { readonly own: readonly (readonly { start: number; end: number }[])[] },
  ): number => boxVolume(value.own[rank]) * BYTES[value.dtype];
  if (step.kind === 'move') {
    const moves = step.action === 'spill' || step.action === 'fetch';
    const bytes = moves ? boxVolume(step.buffer.boxes[rank]) * BYTES[step.buffer.dtype] : 0;
    return { name: step.action, scope: step.buffer.name, flops: 0, bytes };
  }
  const bytes = [...step.reads, ...step.writes].reduce((sum, value) => sum + size(value), 0);
  if (step.kind === 'collective')
    return { name: step.node.op.name, scope: step.node.name, flops: 0, bytes: size(step.writes[0]) };
  const flops = step.nodes.reduce((sum, { op, call, loops }) => sum + op.cost(call, loops[rank]).flops, 0);
  const main = step.anchor ?? step.nodes[step.nodes.length - 1];
  const name = step.anchor?.op.name ?? 'rows';
  return { name: again ? `${name} again` : name, scope: main.name, flops, bytes };
}

/** One line of HALOMESH_DEBUG=2. */
export function showEvent(event: TraceEvent, step?: PlanStep): string {
  const time = `${event.duration.toFixed(2)} ms`.padStart(12);
  const speed = `${rate(event.flops, event.duration)} GFLOP/s`.padStart(16);
  const memory = `${rate(event.bytes, event.duration)} GB/s`.padStart(12);
  return `rank ${event.rank}${time}${speed}${memory}  ${event.name.padEnd(18)} ${event.scope}${step ? `  ${showPlanStep(step)}` : ''}`;
}
