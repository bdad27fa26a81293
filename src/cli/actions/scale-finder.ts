import { shape } from '../../core/index.ts';
import { overlaps } from '../../files/index.ts';
import { assumedGpu, cudaTarget } from '../../machine/cuda/index.ts';
import { costsOf, cpuTarget, type MachineDevice, type Speeds } from '../../machine/index.ts';
import { VOXEL } from '../../measure/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { type Sizes, SPLIT_DIMS, SplitFinder } from '../../plan/index.ts';
import { measuredSpeeds, speedsOf } from '../../train/index.ts';

export interface ScaleFlags {
  readonly size: number;
  readonly base: number;
  readonly levels: number;
  readonly batch: number;
  readonly precision: 'f32' | 'bf16';
  readonly ranks: readonly number[];
  readonly machine?: string;
  readonly threads?: number;
  /** By default one; of GPUs as many as a machine has. */
  readonly ranksPerMachine?: number;
  readonly device: MachineDevice;
  readonly memoryLimit?: number;
  readonly block?: number;
  readonly tries: number;
  readonly measure?: boolean;
  readonly overwrite?: boolean;
  readonly out: string;
  readonly json?: boolean;
}

export const sizesOf = ({ size, batch }: Pick<ScaleFlags, 'size' | 'batch'>): Sizes => ({
  batch,
  depth: size,
  height: size,
  width: size,
});

type Network = Pick<ScaleFlags, 'base' | 'levels' | 'precision' | 'tries' | 'memoryLimit'>;

/** Speeds of the machine file, or assumed ones of the device. */
export function speedsFor({ machine, device }: Pick<ScaleFlags, 'machine' | 'device'>): Speeds {
  return device === 'cuda' ? (measuredSpeeds(machine) ?? assumedGpu()) : speedsOf(machine);
}

/** Looks for the best splits of training steps of the U-Net that `bench` runs. */
export function finderOf(
  flags: Network & Pick<ScaleFlags, 'machine' | 'threads' | 'ranksPerMachine' | 'device'>,
  speeds: Speeds,
): SplitFinder {
  const { base, levels, precision, memoryLimit, tries } = flags;
  const gpu = flags.device === 'cuda';
  const { ranksPerMachine = gpu ? speeds.cores : 1 } = flags;
  // A rank has a GPU.
  const threads = gpu ? 1 : (flags.threads ?? Math.max(1, Math.floor(speeds.cores / ranksPerMachine)));
  const target = gpu
    ? cudaTarget({ overlap: overlaps() })
    : cpuTarget({ speeds: measuredSpeeds(flags.machine), overlap: overlaps() });
  return new SplitFinder({
    graph: (sizes) =>
      buildTraining({ image: shape({ ...sizes, channel: 1 }), network: { base, levels }, storage: precision })
        .graph,
    target,
    stride: 2 ** (levels - 1),
    memoryLimit,
    // As from a store, of which a rank reads its own box.
    hostBytes: (block) => VOXEL * SPLIT_DIMS.reduce((n, dim) => n * block[dim], 1),
    costs: costsOf(speeds),
    tries,
    ranksPerMachine,
    time: { threads, ranksPerMachine, overlap: target.overlap },
  });
}
