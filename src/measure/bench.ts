import { availableParallelism } from 'node:os';
import {
  type Box,
  boxVolume,
  forEachIndex,
  type Graph,
  type Layout,
  type Mesh,
  mesh as makeMesh,
  rowMajorStrides,
  type Shape,
  shape,
  uniform,
} from '../core/index.ts';
import { debugLevel } from '../files/index.ts';
import {
  cpuDevice,
  type Device,
  type ExactConv,
  type Processes,
  type TargetOptions,
} from '../machine/index.ts';
import { buildTraining, type OptimizerConfig, type UNetConfig } from '../nn/index.ts';
import { checkSplits, fitParts, type Plan, predictPeak, showExtra } from '../plan/index.ts';
import { type BoxReader, type InOnePiece, plainly, Session, type Tracer, totalSent } from '../run/index.ts';

export interface BenchOptions {
  /** Voxels along each axis. */
  readonly size: number;
  /** Pictures of three colours in place of volumes, and windows over height and width. */
  readonly plane?: boolean;
  readonly network?: Partial<UNetConfig>;
  readonly steps: number;
  readonly batch?: number;
  readonly mesh?: Mesh;
  readonly layout?: Layout;
  /** The plan of a step with this mesh and layout, where choosing them has made it. */
  readonly plan?: Plan;
  readonly precision?: 'f32' | 'bf16';
  readonly threads?: number;
  readonly optimizer?: OptimizerConfig;
  readonly exactConv?: ExactConv;
  readonly device?: Device;
  /** What is told of the machine, where no device is given. */
  readonly machine?: TargetOptions;
  /** The processes that run the ranks; this one alone by default. */
  readonly processes?: Processes;
  /** See {@link SessionOptions}. */
  readonly memoryLimit?: number;
  readonly spillFolder?: string;
  readonly grantedBytes?: number;
  readonly tracer?: Tracer;
  /** Does what comes before the first step. */
  readonly planning?: InOnePiece;
  /** Called after each step with its number (0 is the warm-up) and seconds. */
  readonly onStep?: (step: number, seconds: number) => void;
}

export interface BenchResult {
  readonly size: number;
  readonly plane?: boolean;
  readonly ranks: number;
  /** Machines that they run on. */
  readonly machines: number;
  readonly threads: number;
  readonly instructionSet: string;
  /** Threads and instruction set of the CPU; else the device's name. */
  readonly device: string;
  readonly precision: 'f32' | 'bf16';
  /** Of the counted steps; the first step is a warm-up and not counted. */
  readonly secondsPerStep: { readonly min: number; readonly median: number };
  /** Of every counted step. */
  readonly seconds: readonly number[];
  /** Work of the plan over the median time. */
  readonly gflopsPerSecond: number;
  readonly gflopPerStep: number;
  /** Highest resident memory of the process, bytes. */
  readonly peakRssBytes: number;
  /** Bytes that tensors took of the device's own memory; absent where they lie in the host's. */
  readonly deviceBytes?: number;
  readonly predictedPeakBytes: number;
  /** Bytes that all processes counted, per step, and what the plan says. */
  readonly bytesSentPerStep: number;
  readonly predictedBytesSentPerStep: number;
  /** What messages travel by, where there is a choice. */
  readonly transport?: string;
  /** What a memory limit costs, as text; absent where nothing is recomputed or spilled. */
  readonly extra?: string;
  readonly losses: readonly number[];
}

/** Bytes of a voxel of image (float32) and labels (one byte). */
export const VOXEL = 5;
/** Colours of a picture. */
const COLOURS = 3;
/** Name of a bench's first step in a trace. */
export const WARM_UP = 'warm-up';

type Sizes = Pick<BenchOptions, 'size' | 'batch' | 'plane'>;

/** Channels of its images. */
export const benchChannels = ({ plane }: Pick<BenchOptions, 'plane'>): number => (plane ? COLOURS : 1);

/** Volumes or pictures of a step. */
function benchImage({ size, batch = 1, plane }: Sizes): Shape {
  const channel = benchChannels({ plane });
  return shape({ batch, depth: plane ? 1 : size, height: size, width: size, channel });
}

/** Bytes of them that the process holds beside the tensors: pictures are made box by box. */
export function benchHostBytes({ size, batch = 1, plane }: Sizes): number {
  return plane ? 0 : VOXEL * batch * size ** 3;
}

/** The network, whose windows leave the depth of pictures alone. */
export function benchNetwork(
  { plane }: Pick<BenchOptions, 'plane'>,
  network: Partial<UNetConfig> = {},
): Partial<UNetConfig> {
  return plane ? { ...network, kernel: { height: 3, width: 3 } } : network;
}

/** Numbers of a box of a tensor of a shape, each drawn by its place. */
const drawn =
  <T extends Float32Array | Uint8Array>(
    dims: Shape,
    make: (count: number) => T,
    draw: (index: number) => number,
  ): BoxReader =>
  async (box: Box): Promise<T> => {
    const strides = rowMajorStrides(dims.map(({ size }) => size));
    const out = make(boxVolume(box));
    const { start, end } = box[box.length - 1];
    let n = 0;
    forEachIndex(box.slice(0, -1), (at) => {
      const first = at.reduce((sum, i, dim) => sum + i * strides[dim], 0);
      for (let i = start; i < end; i++) out[n++] = draw(first + i);
    });
    return out;
  };

/** Image and labels of the steps. */
function inputsOf(options: BenchOptions) {
  const dims = benchImage(options);
  const imageAt = (i: number): number => uniform(1, 2, 0, i);
  const labelAt = (i: number): number => Math.floor(3 * uniform(3, 4, 0, i));
  const floats = (n: number): Float32Array => new Float32Array(n);
  const bytes = (n: number): Uint8Array => new Uint8Array(n);
  if (options.plane)
    return { image: drawn(dims, floats, imageAt), labels: drawn(dims.slice(0, -1), bytes, labelAt) };
  const voxels = dims.reduce((count, dim) => count * dim.size, 1);
  const image = new Float32Array(voxels);
  const labels = new Uint8Array(voxels);
  for (let i = 0; i < voxels; i++) {
    image[i] = imageAt(i);
    labels[i] = labelAt(i);
  }
  return { image, labels };
}

/** Mesh and layout as given; where a limit stands alone, as many parts as it takes, and the plan for them. */
function placement(
  { mesh = makeMesh({}), layout, plan, memoryLimit, processes, plane }: BenchOptions,
  graph: Graph,
  device: Device,
  hostBytes: number,
): { mesh: Mesh; layout?: Layout; plans?: readonly Plan[] } {
  checkSplits(graph, mesh, layout ?? {});
  if (memoryLimit === undefined || mesh.size > 1 || processes !== undefined)
    return { mesh, layout, plans: plan && [plan] };
  return fitParts([{ graph, hostBytes }], device.target, memoryLimit, plane ? 'height' : 'depth');
}

/** Training steps of a U-Net on random data. */
export async function bench(options: BenchOptions): Promise<BenchResult> {
  const { size, plane, steps, precision = 'f32', threads = availableParallelism() } = options;
  const device = options.device ?? cpuDevice({ threads, exactConv: options.exactConv, ...options.machine });
  const built = buildTraining({
    image: benchImage(options),
    network: benchNetwork(options, options.network),
    storage: precision,
    optimizer: options.optimizer,
  });
  const hostBytes = benchHostBytes(options);
  const { planning = plainly } = options;
  const { plans, ...place } = await planning(() => placement(options, built.graph, device, hostBytes));
  const session = new Session({
    device,
    ...place,
    processes: options.processes,
    seed: 0,
    memoryLimit: options.memoryLimit,
    spillFolder: options.spillFolder,
    grantedBytes: options.grantedBytes,
    debug: debugLevel(),
    tracer: options.tracer,
  });
  const program = await planning(() => session.load(plans?.[0] ?? built.graph, { hostBytes }));
  const { image, labels } = inputsOf(options);
  const seconds: number[] = [];
  const losses: number[] = [];
  const sent = async () => totalSent(session.world);
  const before = await sent();
  for (let step = 0; step <= steps; step++) {
    options.tracer?.next(step === 0 ? WARM_UP : `step ${step}`);
    const start = performance.now();
    const inputs = { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(1e-3) };
    const { loss } = await program.run(inputs, ['loss']);
    const took = (performance.now() - start) / 1000;
    losses.push(loss[0]);
    if (step > 0) seconds.push(took);
    options.onStep?.(step, took);
  }
  const bytesSent = (await sent()) - before;
  const deviceBytes = device.target.spaces.tensors.ofHost ? undefined : device.held;
  session.close();
  if (options.device === undefined) device.close();
  const sorted = [...seconds].sort((a, b) => a - b);
  const median =
    (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
  const flops = program.plan.flops.reduce((a, b) => a + b, 0);
  const { exchange, allReduce } = program.plan.bytesSent;
  return {
    size,
    ...(plane && { plane }),
    ranks: session.mesh.size,
    machines: new Set(session.world.processes.machines ?? [0]).size,
    threads,
    instructionSet: device.instructionSet ?? 'none',
    device:
      device.instructionSet === undefined
        ? device.target.name
        : `${threads} threads, ${device.instructionSet}`,
    precision,
    secondsPerStep: { min: sorted[0], median },
    seconds,
    gflopsPerSecond: flops / 1e9 / median,
    gflopPerStep: flops / 1e9,
    peakRssBytes: device.peakMemory?.() ?? process.resourceUsage().maxRSS * 1024,
    ...(deviceBytes !== undefined && { deviceBytes }),
    predictedPeakBytes: predictPeak(program.plan, hostBytes),
    bytesSentPerStep: bytesSent / (steps + 1),
    predictedBytesSentPerStep: exchange + allReduce,
    ...(session.world.transport !== undefined && { transport: session.world.transport }),
    extra: showExtra(program.plan),
    losses,
  };
}
