import type { Kernel, LocalNode, LocalValue } from '../../plan/index.ts';
import { type Held, isPrinted, printNode } from '../../stablehlo/index.ts';
import { sizesOf } from './program.ts';
import type { Scope } from './stretch.ts';
import type { PjrtTensor } from './tensors.ts';

/** Why an operation cannot be run, or undefined. */
export const refusesOp = (node: LocalNode): string | undefined =>
  isPrinted(node) || node.op.role !== 'compute' ? undefined : `there is no StableHLO of ${node.op.name}`;

/** Adds a kernel of one rank to a program. */
export function printKernel(
  { program, read, write }: Scope,
  kernel: Kernel,
  rank: number,
  tensorOf: (value: LocalValue) => PjrtTensor,
): void {
  const local = new Map<LocalValue, Held>();
  const written = new Set(kernel.writes);
  const stored = (value: LocalValue): Held => {
    const tensor = tensorOf(value);
    const { shape, dtype, box } = tensor;
    const starts = [box.map(({ start }) => start)];
    return {
      tensor: read(tensor),
      shape,
      dtype,
      starts,
      sizes: sizesOf(box),
      boxes: [box],
      outside: 'anything',
    };
  };
  for (const node of kernel.nodes) {
    const given = node.inputs.map((value) => local.get(value) ?? stored(value));
    printNode(program.frames, node, [rank], given).forEach((held, o) => {
      const value = node.outputs[o];
      local.set(value, held);
      if (written.has(value)) write(tensorOf(value), held.boxes[0], held.tensor);
    });
  }
}
