import { shape } from '../../core/index.ts';
import { type DeviceChoice, deviceNamed, loadDevice, stepCosts } from '../../machine/index.ts';
import {
  type BenchResult,
  bench,
  benchChannels,
  benchHostBytes,
  benchNetwork,
  WARM_UP,
} from '../../measure/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { bytes, type Plan, type Sizes } from '../../plan/index.ts';
import { agreedSplit, kernelTable, type Tracer } from '../../run/index.ts';
import { checkSize, grantedBytes, machineHere, speedsOf } from '../../train/index.ts';
import { checkMeshFlags, type MemoryFlags, type MeshFlags, placement } from '../flags/flags.ts';
import { endsOnSignals, hearSignals } from '../terminal/interrupt.ts';
import { type Joined, join } from '../terminal/processes.ts';
import { showProgress } from '../terminal/progress.ts';
import { say, sayJson } from '../terminal/say.ts';
import { noteSplit, talks } from '../terminal/talks.ts';
import { traced } from '../terminal/trace.ts';
import { usableDevice } from '../terminal/usable-device.ts';

export interface Flags extends MeshFlags, MemoryFlags {
  readonly size: number;
  readonly plane?: boolean;
  readonly base: number;
  readonly levels: number;
  readonly steps: number;
  readonly batch: number;
  readonly precision: 'f32' | 'bf16';
  readonly device?: DeviceChoice;
  readonly threads?: number;
  readonly exactConv?: 'auto' | 'direct';
  readonly optimizer: 'adafactor' | 'adam' | 'sgd';
  readonly trace?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** Runs `halomesh bench`. */
export async function benchAction(flags: Flags): Promise<void> {
  checkMeshFlags(flags);
  checkSize(flags, flags.size, '--size');
  const { threads: _t, spillDir: _d, trace: _f, overwrite: _o, json: _j, ...settings } = flags;
  const joined = await join(flags.split === 'auto' ? 'auto' : placement(flags).mesh, settings);
  const show = async (tracer: Tracer | undefined): Promise<void> => {
    const result = await measure(flags, joined, tracer);
    await hearSignals();
    if (!talks()) return;
    if (flags.json) sayJson(result);
    else say(formatBench(result));
    if (tracer && !flags.json) say(`\n${kernelTable(tracer.runs.filter(({ name }) => name !== WARM_UP))}`);
  };
  await traced(talks() ? flags.trace : undefined, show, {
    endsAtOnce: true,
    overwrite: flags.overwrite,
  });
}

async function measure(flags: Flags, joined: Joined, tracer: Tracer | undefined): Promise<BenchResult> {
  const place = await placeOf(flags, joined);
  const {
    base,
    levels,
    optimizer,
    json: _j,
    split: _s,
    mesh: _m,
    layout: _l,
    trace: _t,
    overwrite: _o,
    spillDir,
    device: choice,
    ...rest
  } = flags;
  const entry = await loadDevice(choice ?? usableDevice());
  const threads = flags.threads ?? (entry.oneThread ? 1 : joined.threads);
  const { exactConv } = flags;
  const device = entry.open({ threads, exactConv, ...machineHere() });
  const progress = showProgress({ unit: 'step', total: flags.steps, silent: !talks() });
  try {
    return await bench({
      ...rest,
      ...place,
      processes: joined.processes,
      planning: endsOnSignals,
      grantedBytes: await grantedBytes(joined.processes),
      threads,
      device,
      spillFolder: spillDir,
      network: { base, levels },
      optimizer: { kind: optimizer },
      tracer,
      onStep: (step, seconds) => progress.update(step, [`${seconds.toFixed(2)} s`]),
    });
  } finally {
    progress.stop();
    device.close();
  }
}

/** The mesh and layout of the flags, or the split of least predicted time for as many ranks as there are processes. */
async function placeOf(
  flags: Flags,
  { processes, threads }: Joined,
): Promise<ReturnType<typeof placement> & { plan?: Plan }> {
  if (flags.split !== 'auto') return placement(flags);
  const { size, batch, plane, base, levels, precision: storage, memoryLimit } = flags;
  const name = deviceNamed(flags.device ?? usableDevice());
  const target = (await loadDevice(name)).target(machineHere());
  const choice = {
    graph: (sizes: Sizes) =>
      buildTraining({
        image: shape({ ...sizes, channel: benchChannels(flags) }),
        network: benchNetwork(flags, { base, levels }),
        storage,
        optimizer: { kind: flags.optimizer },
      }).graph,
    sizes: { batch, depth: plane ? 1 : size, height: size, width: size },
    stride: 2 ** (levels - 1),
    target,
    costs: () => stepCosts(name, target, () => speedsOf()),
    ranks: processes?.ranks.length ?? 1,
    threads: flags.threads ?? threads,
    memoryLimit,
    hostBytes: benchHostBytes(flags),
  };
  const { parts, text, plan } = await agreedSplit(choice, processes);
  noteSplit(text);
  return { ...placement({ split: parts }), plan };
}

/** The result as text for a terminal. */
export function formatBench(r: BenchResult): string {
  return [
    `${r.plane ? 'picture     ' : 'volume      '}${r.size}^${r.plane ? '2 of 3 colours' : '3'}, ${r.precision}, ${r.ranks} ${r.ranks === 1 ? 'rank' : 'ranks'}${r.machines > 1 ? ` on ${r.machines} machines` : ''}, ${r.device}`,
    `step        ${r.secondsPerStep.median.toFixed(3)} s (median), ${r.secondsPerStep.min.toFixed(3)} s (fastest)`,
    `speed       ${r.gflopsPerSecond.toFixed(1)} GFLOP/s, ${r.gflopPerStep.toFixed(1)} GFLOP a step`,
    r.deviceBytes === undefined
      ? `memory      ${bytes(r.peakRssBytes)} at most, ${bytes(r.predictedPeakBytes)} predicted`
      : `memory      ${bytes(r.deviceBytes)} of the device beside its context, ${bytes(r.predictedPeakBytes)} predicted with it; ${bytes(r.peakRssBytes)} of the host at most`,
    ...(r.extra === undefined ? [] : [`extra       ${r.extra}`]),
    `sent        ${bytes(r.bytesSentPerStep)} a step, ${bytes(r.predictedBytesSentPerStep)} predicted${r.transport === undefined ? '' : `, by ${r.transport}`}`,
  ].join('\n');
}
