import { availableParallelism, cpus } from 'node:os';
import { type Box, range, type Shape, shape, uniform } from '../core/index.ts';
import {
  COMPUTING_DEVICES,
  type Device,
  type DeviceChoice,
  ETHERNET,
  fitLink,
  fitSpeeds,
  kernelClass,
  loadDevice,
  type Processes,
  peakFlops,
  peakMemory,
  type Speeds,
  type TimedKernel,
} from '../machine/index.ts';
import { buildTraining } from '../nn/index.ts';
import { type ExchangePlan, kernelWork, type Plan } from '../plan/index.ts';
import { Session, Tracer } from '../run/index.ts';

// Measures the speeds that times are told from: kernels by the trace of training steps, links by real messages.

export interface CalibrateOptions {
  /** Volumes of the training steps that are timed, voxels along each side; sizes must differ much. */
  readonly sizes?: readonly number[];
  /** Times that each is run after a first one. */
  readonly runs?: number;
  readonly base?: number;
  readonly precision?: 'f32' | 'bf16';
  /** What is measured; by default the kernels of the processor, which are measured on one thread. */
  readonly device?: DeviceChoice;
  /** Processes of which the first two send messages to each other; without them links are assumed. */
  readonly processes?: Processes;
}

const SIZES = [32, 96];
const RUNS = 3;

/** Speeds of this machine. All processes call it; the first gets the kernels' speeds, and all wait for it. */
export async function calibrate(options: CalibrateOptions = {}): Promise<Speeds> {
  const { processes } = options;
  const entry = await loadDevice(options.device ?? COMPUTING_DEVICES[0]);
  // The device whose work is told from the speeds of the host.
  const ofHost = entry.costs !== undefined;
  const open = (): Device => entry.open(ofHost ? { threads: 1 } : {});
  const link = processes === undefined ? ETHERNET : await measureLink(processes, open);
  let speeds: Speeds | undefined;
  if (processes === undefined || processes.index === 0) {
    const fitted = fitSpeeds(await timeKernels(options, open));
    speeds = {
      // Another device has one queue, and its kernels that multiply little tell how fast its memory is.
      ...(ofHost
        ? ofProcessor()
        : {
            name: entry.available().note,
            cores: 1,
            allCores: 1,
            memoryBytesPerSecond: fitted.kernels.pass.bytesPerSecond,
          }),
      source: `measured on ${new Date().toISOString().slice(0, 10)} by halomesh info --calibrate`,
      ...fitted,
      link,
    };
  }
  const [text] = (await processes?.share('speeds', JSON.stringify(speeds ?? null))) ?? [];
  return speeds ?? (JSON.parse(text) as Speeds);
}

function ofProcessor(): Pick<Speeds, 'name' | 'cores' | 'allCores' | 'memoryBytesPerSecond'> {
  const cores = availableParallelism();
  const allCores = Math.max(1, Math.min(cores, steadyFlops(cores) / steadyFlops(1)));
  return {
    name: cpus()[0]?.model.trim() || 'unknown',
    cores,
    allCores: Number(allCores.toPrecision(3)),
    memoryBytesPerSecond: Number(peakMemory('copy', cores).toPrecision(4)),
  };
}

/** The highest of a few measurements: others may use the cores now and then. */
const steadyFlops = (threads: number): number => Math.max(...[1, 2, 3, 4].map(() => peakFlops(threads)));

/** Every kernel of training steps, with the times of each size's fastest step. */
async function timeKernels(options: CalibrateOptions, open: () => Device): Promise<TimedKernel[]> {
  const timed: TimedKernel[] = [];
  for (const size of options.sizes ?? SIZES) {
    const tracer = new Tracer();
    const plan = await runSteps(size, tracer, options, open);
    // The first run warms up.
    const [fastest] = tracer.runs.slice(1).sort((a, b) => a.duration! - b.duration!);
    plan.steps.forEach((step, i) => {
      if (step.kind !== 'kernel') return;
      const seconds = fastest.events[i].duration / 1000;
      timed.push({ kind: kernelClass(step), ...kernelWork(step, 0), seconds });
    });
  }
  return timed;
}

/** Training steps of the U-Net on random numbers. */
async function runSteps(
  size: number,
  tracer: Tracer,
  { runs = RUNS, base = 16, precision }: CalibrateOptions,
  open: () => Device,
): Promise<Plan> {
  const { graph } = buildTraining({
    image: shape({ batch: 1, depth: size, height: size, width: size, channel: 1 }),
    network: { base },
    storage: precision,
  });
  const device = open();
  const session = new Session({ device, seed: 0, tracer });
  const program = await session.load(graph);
  const image = Float32Array.from({ length: size ** 3 }, (_, i) => uniform(1, 2, 0, i));
  const labels = Uint8Array.from({ length: size ** 3 }, (_, i) => Math.floor(3 * uniform(3, 4, 0, i)));
  try {
    for (let step = 0; step <= runs; step++)
      await program.run(
        { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(1e-3) },
        [],
      );
  } finally {
    session.close();
    device.close();
  }
  return program.plan;
}

/** Bytes of the messages that are timed, how often each, and how many go together to tell what a further one costs. */
const MESSAGES = [2 ** 12, 2 ** 16, 2 ** 20, 2 ** 23];
const TIMES = 6;
/** Exchanges between two looks at the clock: ranks leave a barrier at different times, and exchanges in a row even that out. */
const IN_A_ROW = 10;
const TOGETHER = 16;

/** Exchanges between the ranks of the first two processes, which send to each other as neighbours do. */
async function measureLink(processes: Processes, open: () => Device): Promise<Speeds['link']> {
  const device = open();
  const timed: { bytes: number; seconds: number }[] = [];
  for (const bytes of MESSAGES)
    timed.push({ bytes, seconds: await exchangeSeconds(processes, device, bytes, 1) });
  const { latencySeconds, bytesPerSecond } = fitLink(timed);
  const many = await exchangeSeconds(processes, device, TOGETHER * 64, TOGETHER);
  const one = await exchangeSeconds(processes, device, 64, 1);
  const messageSeconds = Number((Math.max(0, many - one) / (TOGETHER - 1)).toPrecision(4));
  const ranks = processes.ranks.length;
  return {
    bytesPerSecond,
    latencySeconds,
    messageSeconds,
    source: `measured between ranks 0 and 1 of ${ranks}`,
  };
}

/** Seconds of one exchange of `bytes` bytes each way in some messages: the least of several. */
async function exchangeSeconds(
  processes: Processes,
  device: Device,
  bytes: number,
  messages: number,
): Promise<number> {
  const length = bytes / 4;
  const world = processes.world(device);
  await world.ready?.();
  const line: Shape = [{ name: 'line', size: 4 * length }];
  const part = (first: number, n: number): Box => [
    range(first + (n * length) / messages, first + ((n + 1) * length) / messages),
  ];
  const numbers = Array.from({ length: messages }, (_, n) => n);
  const plan: ExchangePlan = {
    kind: 'exchange',
    inPlace: true,
    transfers: numbers.flatMap((n) => [
      { from: 0, to: 1, box: part(0, n) },
      { from: 1, to: 0, box: part(2 * length, n) },
    ]),
  };
  const flat = { shape: line, dtype: 'f32' as const };
  const type = { ...flat, format: device.target.plain(flat) };
  const box: Box = [range(0, 4 * length)];
  const memory = device.allocate(type.format.bytes(box));
  const seconds: number[] = [];
  try {
    const tensor = device.tensor(memory, 0, type, box);
    for (let n = 0; n < TIMES; n++) {
      await world.barrier('calibration');
      const start = performance.now();
      for (let i = 0; i < IN_A_ROW; i++) await world.exchange('calibration', plan, [tensor], [tensor]);
      seconds.push((performance.now() - start) / 1000 / IN_A_ROW);
    }
  } finally {
    device.free(memory);
  }
  // The first binds the messages to memory; what else runs only makes times longer.
  return Math.min(...seconds.slice(1));
}
