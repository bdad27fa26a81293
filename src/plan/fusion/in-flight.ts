import { type Box, BYTES, boxVolume, isEmpty } from '../../core/index.ts';
import type { Buffer } from '../memory/buffers.ts';
import type { PlanStep } from '../memory/schedule.ts';
import type { AllReducePlan, LocalNode, LocalValue } from '../program.ts';
import type { CollectiveStep, Kernel } from './kernel.ts';

// Which collectives are under way beside kernels, from when to when.

/** Bytes of the all-reduces that travel together, about: enough to make good use of a link, few enough to begin early. */
const BUCKET = 4 * 2 ** 20;

/** Collectives that begin after one place of a schedule and are waited for at another. */
export interface InFlight {
  readonly kind: 'exchange' | 'all_reduce';
  /** Places of its collectives: one exchange, or a bucket of all-reduces with the same groups. */
  readonly places: readonly number[];
  /** The place after which it begins: -1 is before the first. */
  readonly begin: number;
  /** The place at which it is waited for. */
  readonly end: number;
  /** Flights of one kind that are under way at the same time have different slots. */
  readonly slot: number;
}

/** The collectives in flight of a schedule, by their beginning. What cannot begin earlier than it is waited for is none. */
export function inFlightOf(
  list: readonly { readonly step: PlanStep; readonly again: boolean }[],
  buffers: ReadonlyMap<LocalValue, Buffer>,
): InFlight[] {
  const found: Omit<InFlight, 'slot'>[] = [];
  for (let place = 0; place < list.length; place++) {
    if (kindOf(list[place]) === 'exchange') {
      const begin = readyAfter(list, buffers, place);
      if (begin !== undefined && begin < place)
        found.push({ kind: 'exchange', places: [place], begin, end: place });
    }
    if (kindOf(list[place]) !== 'all_reduce') continue;
    const end = place;
    while (kindOf(list[place + 1]) === 'all_reduce') place++;
    found.push(...buckets(list, buffers, end, place + 1));
  }
  return withSlots(found.sort((a, b) => a.begin - b.begin || a.end - b.end));
}

/** The all-reduces at places from `end` to `stop`, in the order in which their parts are made. */
function buckets(
  list: readonly { readonly step: PlanStep; readonly again: boolean }[],
  buffers: ReadonlyMap<LocalValue, Buffer>,
  end: number,
  stop: number,
): Omit<InFlight, 'slot'>[] {
  const made = Array.from({ length: stop - end }, (_, i) => ({
    place: end + i,
    begin: readyAfter(list, buffers, end + i),
  })).filter(
    (entry): entry is { place: number; begin: number } => entry.begin !== undefined && entry.begin < end,
  );
  made.sort((a, b) => a.begin - b.begin || a.place - b.place);
  const found: { kind: 'all_reduce'; places: number[]; begin: number; end: number }[] = [];
  let bytes = 0;
  for (const { place, begin } of made) {
    const last = found.at(-1);
    const { node } = list[place].step as CollectiveStep;
    const size = bytesOf(node);
    if (last === undefined || bytes + size > BUCKET || !alike(list[last.places[0]].step, list[place].step)) {
      found.push({ kind: 'all_reduce', places: [place], begin, end });
      bytes = size;
    } else {
      last.places.push(place);
      last.begin = begin;
      bytes += size;
    }
  }
  return found;
}

/**
 * The place after which what a collective sends is whole and lies where it will lie until the collective is done; undefined
 * where it leaves its memory in between.
 */
function readyAfter(
  list: readonly { readonly step: PlanStep; readonly again: boolean }[],
  buffers: ReadonlyMap<LocalValue, Buffer>,
  place: number,
): number | undefined {
  const [value] = list[place].step.reads;
  const buffer = buffers.get(value)!;
  for (let at = place - 1; at >= 0; at--) {
    const { step } = list[at];
    if (step.kind === 'move' && step.buffer === buffer) return undefined;
    if (step.writes.some((written) => buffers.get(written) === buffer)) return at;
  }
  // A variable lives on from the last run, in which others may still read it.
  return buffer.variable === undefined ? -1 : undefined;
}

function withSlots(inFlight: readonly Omit<InFlight, 'slot'>[]): InFlight[] {
  const free = { exchange: [] as number[], all_reduce: [] as number[] };
  return inFlight.map((flight) => {
    const ends = free[flight.kind];
    // A place ends its flight before another may begin after it.
    let slot = ends.findIndex((end) => end <= flight.begin);
    if (slot < 0) slot = ends.length;
    ends[slot] = flight.end;
    return { ...flight, slot };
  });
}

/** Whether a kernel reads on some rank what an exchange brings. A kernel without an anchor is taken to read all that it names. */
export function readsMargins(kernel: Kernel, { inputs, outputs, collective }: LocalNode): boolean {
  const { anchor } = kernel;
  if (anchor === undefined || collective?.kind !== 'exchange' || !collective.inPlace) return true;
  const { op, call, loops } = anchor;
  const [wide] = outputs;
  const through = inputsFrom(kernel, wide);
  if (through.length === 0) return true;
  return loops.some((loop, rank) => {
    if (isEmpty(loop)) return false;
    const reads = op.reads(call, loop);
    return wide.shape.some(({ name }, n) => {
      const have = inputs[0].valid[rank][n];
      const all = wide.valid[rank][n];
      if (all.start >= have.start && all.end <= have.end) return false;
      return through.some((i) => {
        const dim = call.inputs[i].shape.findIndex((d) => d.name === name);
        return dim < 0 || reads[i][dim].start < have.start || reads[i][dim].end > have.end;
      });
    });
  });
}

/**
 * The part of a kernel's loop box on a rank that reads nothing of the margins that `exchanges` bring: it can be computed while
 * they are under way. Undefined where there is none.
 */
export function readyLoops(kernel: Kernel, rank: number, exchanges: readonly LocalNode[]): Box | undefined {
  const { anchor } = kernel;
  if (anchor === undefined) return undefined;
  const { op, call } = anchor;
  // Loops begin with the dimensions of the output; of those after them, which are summed over, no part can be taken.
  const loops = call.outputs[0].shape.map(({ name }) => name);
  const ready = anchor.loops[rank].map((r) => ({ ...r }));
  for (const { inputs, outputs } of exchanges) {
    const [wide] = outputs;
    const through = inputsFrom(kernel, wide);
    if (through.length === 0 && kernel.reads.includes(wide)) return undefined;
    for (const [n, { name }] of wide.shape.entries()) {
      const have = inputs[0].valid[rank][n];
      const all = wide.valid[rank][n];
      if (all.start === have.start && all.end === have.end) continue;
      const loop = loops.indexOf(name);
      const dims = through.map((i) => call.inputs[i].shape.findIndex((d) => d.name === name));
      if (loop < 0 || dims.includes(-1)) return undefined;
      const ranges = () => {
        const reads = op.reads(call, ready);
        return through.map((i, k) => reads[i][dims[k]]);
      };
      const range = ready[loop];
      while (range.start < range.end && ranges().some(({ start }) => start < have.start)) range.start++;
      while (range.start < range.end && ranges().some(({ end }) => end > have.end)) range.end--;
    }
  }
  return isEmpty(ready) ? undefined : ready;
}

/** Inputs of a kernel's anchor that are computed from a stored value while they are loaded. */
function inputsFrom({ anchor, nodes }: Kernel, stored: LocalValue): number[] {
  const inside = new Set(nodes);
  const known = new Map<LocalValue, boolean>([[stored, true]]);
  const uses = (value: LocalValue): boolean => {
    let found = known.get(value);
    if (found === undefined) {
      const { producer } = value;
      found = inside.has(producer) && producer !== anchor && producer.inputs.some(uses);
      known.set(value, found);
    }
    return found;
  };
  return anchor!.inputs.flatMap((value, i) => (uses(value) ? [i] : []));
}

function kindOf(entry: { readonly step: PlanStep; readonly again: boolean } | undefined) {
  return entry?.step.kind === 'collective' && !entry.again ? entry.step.node.collective?.kind : undefined;
}

/** Whether two all-reduces go between the same ranks. */
function alike(a: PlanStep, b: PlanStep): boolean {
  const plan = (step: PlanStep) => (step as CollectiveStep).node.collective as AllReducePlan;
  return String(plan(a).axes) === String(plan(b).axes);
}

/** Of the part of one rank, of the rank with the most. */
function bytesOf({ outputs: [value] }: LocalNode): number {
  return value.own.reduce((most, box) => Math.max(most, boxVolume(box) * BYTES[value.dtype]), 0);
}
