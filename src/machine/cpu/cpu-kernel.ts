import type { Box } from '../../core/index.ts';
import type { LocalNode } from '../../plan/index.ts';
import type { TwoParts } from '../device.ts';
import type { Launch } from './launch.ts';

/** How the CPU device runs an operation that is not element-wise. */
export interface CpuKernel {
  /** Inputs that may be element-wise expressions. */
  readonly prologue?: readonly number[];
  /** Input 0 may be a concat of channels, loaded from its parts. */
  readonly sources?: boolean;
  /** Element-wise operations and sums may follow the store. */
  readonly epilogue?: boolean;
  /** Why this use cannot run, if so. */
  refuses?(node: LocalNode): string | undefined;
  /** Lays the arguments down; returns the launch. The loop box is not empty. */
  prepare(launch: Launch): () => void;
  /** The same in two parts; see `Device.prepareInTwo`. */
  prepareInTwo?(launch: Launch, ready: Box): TwoParts;
}
