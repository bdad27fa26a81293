import type { OpName } from '../../ops/index.ts';
import type { CpuKernel } from './cpu-kernel.ts';
import { classKernels } from './kernels-classes.ts';
import { collapseKernels } from './kernels-collapse.ts';
import { moveKernels } from './kernels-move.ts';
import { windowKernels } from './kernels-window.ts';
import { isElementwise, type PointwiseName } from './row-program.ts';

/** Values that come from outside: nothing to launch. */
const given: CpuKernel = { prepare: () => () => undefined };

/** Every operation but the element-wise ones, which are row programs. A missing one does not compile. */
export const KERNELS: Readonly<
  Record<Exclude<OpName, PointwiseName | 'assign' | 'reduce_sum'>, CpuKernel>
> & {
  readonly reduce_sum: CpuKernel;
} = {
  input: given,
  variable: given,
  ...collapseKernels,
  ...windowKernels,
  ...moveKernels,
  ...classKernels,
};

export function kernelOf(name: string): CpuKernel | undefined {
  return Object.hasOwn(KERNELS, name) ? KERNELS[name as keyof typeof KERNELS] : undefined;
}

/** True for operations that are whole row programs: element-wise ones and assignments. */
export function isRowOp(name: string): boolean {
  return isElementwise(name) || ['fill', 'cast', 'broadcast', 'random', 'assign'].includes(name);
}
