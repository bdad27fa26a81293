import { markdownTable } from 'halomesh';
import { type KernelMeasure, measurePass, PASSES, type Pass, type Precision } from './convolution.ts';
import type { Section } from './document.ts';
import { type Layer, layers, TARGET } from './layers.ts';
import { lookAtPeaks, machine, machineSection, type Peaks } from './machine.ts';
import type { Bench, PartResult } from './part.ts';
import { type OneDnn, openOneDnn } from './peers/onednn.ts';
import { digits, median, percent } from './statistics.ts';

/** One pass of a layer on some threads, and what oneDNN took for it. */
interface Row {
  readonly layer: Layer;
  readonly pass: Pass;
  readonly precision: Precision;
  readonly threads: number;
  readonly ours: KernelMeasure;
  /** Best time, seconds. */
  readonly oneDnn?: number;
}

/** Kernels against the peaks of the machine, which are measured before, among and after them. */
export async function kernelsPart(bench: Bench): Promise<PartResult> {
  const { quick } = bench.options;
  const looks: Peaks[] = lookAtPeaks(bench.threads, quick);
  const peer = await openOneDnn();
  if (!peer.ok) bench.say(`no comparison with oneDNN: ${peer.reason}`);
  const rounds: Row[][] = [];
  const versions = new Set<string>();
  try {
    // All layers twice rather than each for longer: what disturbs the machine for a while then spoils one of two.
    for (let round = 0; round < (quick ? 1 : 2); round++)
      rounds.push(await measureAll(bench, peer.ok ? peer.value : undefined, looks, versions));
  } finally {
    if (peer.ok) peer.value.free();
  }
  looks.push(...lookAtPeaks(bench.threads, quick));
  const oneDnn = peer.ok ? `oneDNN ${[...versions].join(', ')}` : `No oneDNN: ${peer.reason}.`;
  const what = machine();
  const rows = bestOf(rounds);
  return {
    sections: [machineSection(what, looks), kernelsSection(rows, looks, oneDnn, peer.ok)],
    data: { machine: what, peaks: looks, oneDnn, kernels: rows },
  };
}

/** Every layer, pass, precision and number of threads once. */
async function measureAll(
  bench: Bench,
  peer: OneDnn | undefined,
  looks: Peaks[],
  versions: Set<string>,
): Promise<Row[]> {
  const { quick } = bench.options;
  const threads = quick ? bench.threads.slice(-1) : bench.threads;
  const precisions: Precision[] = quick ? ['f32'] : ['f32', 'bf16'];
  const runs = quick ? 3 : 4;
  const rows: Row[] = [];
  for (const layer of layers(quick ? 64 : 128)) {
    bench.say(`kernels: ${layer.name}`);
    for (const precision of precisions)
      for (const n of threads) {
        const theirs = peer && (await ask(bench, peer, layer, precision, n, runs));
        if (theirs) versions.add(theirs.version);
        for (const [i, pass] of PASSES.entries()) {
          const ours = await measurePass(layer, pass, precision, n, runs);
          const times = theirs?.seconds[i] ?? [];
          const oneDnn = times.length > 0 ? Math.min(...times) : undefined;
          rows.push({ layer, pass, precision, threads: n, ours, oneDnn });
        }
      }
    if (layer.target) looks.push(...lookAtPeaks(bench.threads, true));
  }
  return rows;
}

/** The best of every measurement over some rounds of the same measurements. */
function bestOf(rounds: readonly (readonly Row[])[]): Row[] {
  return rounds[0].map((row, i) => {
    const all = rounds.map((rows) => rows[i]);
    const theirs = all.flatMap(({ oneDnn }) => (oneDnn === undefined ? [] : [oneDnn]));
    const seconds = all.flatMap(({ ours }) => ours.seconds);
    const peak = Math.max(...all.map(({ ours }) => ours.peak));
    const oneDnn = theirs.length > 0 ? Math.min(...theirs) : undefined;
    return { ...row, ours: { ...row.ours, seconds, peak }, oneDnn };
  });
}

async function ask(
  bench: Bench,
  peer: OneDnn,
  layer: Layer,
  precision: Precision,
  threads: number,
  runs: number,
) {
  const outcome = await peer.measure(layer, precision, threads, runs);
  if (outcome.ok) return outcome.value;
  bench.say(`oneDNN has no ${layer.name} in ${precision}: ${outcome.reason}`);
  return undefined;
}

function kernelsSection(
  rows: readonly Row[],
  looks: readonly Peaks[],
  oneDnn: string,
  compared: boolean,
): Section {
  const precisions = [...new Set(rows.map((row) => row.precision))];
  const tables = precisions.map((precision) => {
    const some = rows.filter((row) => row.precision === precision);
    return `### ${precision === 'f32' ? 'float32' : 'bfloat16 storage, float32 arithmetic'}\n\n${table(some, looks, compared)}`;
  });
  const target = `${percent(TARGET)} of the multiply-add peak`;
  const peer = compared
    ? `The column oneDNN is how many times as long ${oneDnn} takes for the same convolution in its own layouts: above 1, halomesh is faster.`
    : oneDnn;
  const body = `One convolution as a graph of its own, through a session; time from its trace, the best of several runs with a look at the multiply-add peak between them. Operations are those of the plain sum over all taps, whatever way a kernel takes, so that a fast algorithm may pass 100 %. GB/s are the stored tensors once, over the time, and their share of the memory's copy peak. Target of the marked layers: ${target} in every pass, forward, input gradient and weight gradient. ${peer}

${verdict(rows)}

${tables.join('\n\n')}`;
  return { key: 'kernels', title: 'Kernels', body };
}

const best = ({ seconds }: KernelMeasure): number => Math.min(...seconds);
const share = ({ ours }: Row): number => ours.flops / best(ours) / ours.peak;

/** How many of the passes that have a target meet it. */
function verdict(rows: readonly Row[]): string {
  const held = rows.filter(({ layer }) => layer.target);
  const met = held.filter((row) => share(row) >= TARGET);
  const shares = held.map(share);
  return `**${met.length} of ${held.length}** measurements with a target meet it; median ${percent(median(shares))}, lowest ${percent(Math.min(...shares))}.`;
}

function table(rows: readonly Row[], looks: readonly Peaks[], compared: boolean): string {
  const threads = [...new Set(rows.map((row) => row.threads))];
  const key = (row: Row): string => `${row.layer.name}\n${row.pass}`;
  const lines = [...new Set(rows.map(key))].map((wanted) => {
    const all = rows.filter((row) => key(row) === wanted);
    const [{ layer, pass }] = all;
    const met = all.every((row) => share(row) >= TARGET);
    const cells = all.flatMap((row) => {
      const { flops, bytes } = row.ours;
      const seconds = best(row.ours);
      const copies = looks.filter((look) => look.threads === row.threads).map((look) => look.memory.copy);
      const memory = bytes / seconds;
      const ratio = row.oneDnn === undefined ? '' : `${(row.oneDnn / seconds).toFixed(2)}x`;
      return [
        digits(seconds * 1000),
        digits(flops / seconds / 1e9),
        percent(share(row)),
        `${digits(memory / 1e9)} (${percent(memory / Math.max(...copies))})`,
        ...(compared ? [ratio] : []),
      ];
    });
    return [layer.name, pass, ...cells, layer.target ? (met ? 'yes' : 'no') : ''];
  });
  const titles = ['ms', 'GFLOP/s', 'of peak', 'GB/s', ...(compared ? ['oneDNN'] : [])];
  const columns = [
    { title: 'convolution' },
    { title: 'pass' },
    ...threads.flatMap((n) => titles.map((title) => ({ title: `${n} thr. ${title}`, right: true }))),
    { title: 'met' },
  ];
  return markdownTable(columns, lines);
}
