import { totalmem } from 'node:os';
import { markdownTable } from 'halomesh';
import type { Outcome } from './child.ts';
import { BASE, runSteps } from './halomesh.ts';
import type { Bench, PartResult } from './part.ts';
import { CPU_MODES, findPyTorch, MODES, runPyTorch } from './peers/pytorch.ts';
import { digits, gib, median, times } from './statistics.ts';

// Whole training steps, ours and PyTorch's: whole processes in turn, so that a machine that drifts drifts for all of them.

export interface Measured {
  readonly seconds: readonly number[];
  /** Peak of what is compared. */
  readonly bytes: number;
}

/** One way to do a training step. */
export interface Subject {
  readonly name: string;
  /** Largest size that it is run at, and why. */
  readonly most?: { readonly size: number; readonly reason: string };
  /** Whether the memory of a size is told from the size before, so as not to run out of it. */
  readonly careful: boolean;
  run(size: number, steps: number): Promise<Outcome<Measured>>;
}

/** What came of a subject at a size. */
export interface Row {
  readonly size: number;
  readonly subject: string;
  readonly seconds: number[];
  bytes: number;
  skipped?: string;
}

/** Share of the memory that a peer may be expected to take before it is left out. */
const ROOM = 0.85;

export async function stepsPart(bench: Bench): Promise<PartResult> {
  const { quick, python } = bench.options;
  const sizes = bench.options.sizes ?? (quick ? [48] : [64, 96, 128, 192, 256]);
  const [rounds, steps] = quick ? [1, 2] : [2, 3];
  const torch = await findPyTorch(python);
  if (!torch.ok) bench.say(`no comparison with PyTorch: ${torch.reason}`);
  const subjects = [...ours(), ...(torch.ok ? peers(bench, python) : [])];
  const rows = await inTurn(bench, subjects, { what: 'steps', sizes, rounds, steps, room: totalmem() });
  const version = torch.ok ? `PyTorch ${torch.value}` : `PyTorch was not measured: ${torch.reason}.`;
  const how = `${rounds === 1 ? 'one process' : `${rounds} processes`} each, in turn, of one step to warm up and ${steps} counted`;
  return { sections: [section(rows, version, how)], data: { steps: rows, pyTorch: version } };
}

/** How subjects are compared. */
interface Comparison {
  /** For those who wait. */
  readonly what: string;
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly steps: number;
  /** Bytes that there are of what is compared. */
  readonly room: number;
}

/** Measures subjects, whole processes in turn, at every size. */
export async function inTurn(
  bench: Bench,
  subjects: readonly Subject[],
  { what, sizes, rounds, steps, room }: Comparison,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const size of sizes) {
    const current = subjects.map((subject): Row => {
      const before = rows.filter((row) => row.subject === subject.name).at(-1);
      const skipped = reasonToSkip(subject, size, before, room);
      return { size, subject: subject.name, seconds: [], bytes: 0, skipped };
    });
    for (let round = 0; round < rounds; round++)
      for (const [i, subject] of subjects.entries()) {
        const row = current[i];
        if (row.skipped !== undefined) continue;
        bench.say(`${what}: ${subject.name}, ${size}^3, round ${round + 1} of ${rounds}`);
        const outcome = await subject.run(size, steps);
        if (outcome.ok) {
          row.seconds.push(...outcome.value.seconds);
          row.bytes = Math.max(row.bytes, outcome.value.bytes);
        } else {
          row.skipped = outcome.reason;
          bench.say(`${subject.name} at ${size}^3: ${outcome.detail}`);
        }
      }
    rows.push(...current);
  }
  return rows;
}

const ours = (): Subject[] =>
  (['f32', 'bf16'] as const).map((precision) => ({
    name: precision === 'f32' ? 'halomesh' : 'halomesh, bf16 storage',
    careful: false,
    run: async (size, steps) => peakOf(await runSteps({ size, steps, precision })),
  }));

const peakOf = (
  outcome: Outcome<{ readonly seconds: readonly number[]; readonly peakRssBytes: number }>,
): Outcome<Measured> =>
  outcome.ok
    ? { ok: true, value: { seconds: outcome.value.seconds, bytes: outcome.value.peakRssBytes } }
    : outcome;

function peers({ options, threads }: Bench, python: string): Subject[] {
  const modes = CPU_MODES.filter(
    // Compiling alone takes most of a minute.
    (mode) => !(options.quick && mode === 'channels_last_compiled'),
  );
  return modes.map((mode) => ({
    name: MODES[mode],
    careful: true,
    most:
      mode === 'channels_last'
        ? { size: 128, reason: 'run up to 128^3, to save time: the compiled one is the same layout' }
        : undefined,
    run: async (size, steps) =>
      peakOf(await runPyTorch(python, mode, size, steps, threads[threads.length - 1])),
  }));
}

/** Why a subject is not run at a size, if so. */
function reasonToSkip(
  { most, careful }: Subject,
  size: number,
  before: Row | undefined,
  room: number,
): string | undefined {
  if (most !== undefined && size > most.size) return most.reason;
  if (!careful || before === undefined) return undefined;
  const expected = before.bytes * (size / before.size) ** 3;
  if (before.bytes === 0) return before.skipped;
  if (expected <= ROOM * room) return undefined;
  return `would take about ${gib(expected)} of ${gib(room)}`;
}

function section(rows: readonly Row[], version: string, how: string) {
  const body = `One training step of the paper's U-Net at base ${BASE} (batch norm, leaky ReLU, dropout), batch 1, with its loss and Adam, on all cores. ${version}${version.endsWith('.') ? '' : '.'} Median of the counted steps of ${how}. The columns time and memory are multiples of halomesh in float32; memory is the highest resident memory of the process.

${tableOf(rows)}`;
  return { key: 'steps', title: 'Training steps', body };
}

/** A line a size and subject; multiples are of the first subject of the size. */
export function tableOf(rows: readonly Row[]): string {
  const base = (row: Row): Row => rows.find((other) => other.size === row.size)!;
  const lines = rows.map((row) => {
    const start = [`${row.size}^3`, row.subject];
    if (row.seconds.length === 0) return [...start, '', '', '', '', '', row.skipped ?? ''];
    const reference = base(row);
    const time = median(row.seconds);
    return [
      ...start,
      digits(time),
      times(time, median(reference.seconds)),
      gib(row.bytes),
      times(row.bytes, reference.bytes),
      String(row.seconds.length),
      row.skipped ?? '',
    ];
  });
  const columns = [
    { title: 'volume' },
    { title: 'by' },
    ...['s/step', 'time', 'peak memory', 'memory', 'steps'].map((title) => ({ title, right: true })),
    { title: 'note' },
  ];
  return markdownTable(columns, lines);
}
