import { isEmpty } from '../../core/index.ts';
import type { Kernel, LocalNode, LocalValue } from '../../plan/index.ts';
import { frameOf, type Held } from '../../stablehlo/frames.ts';
import { ruleOf } from '../../stablehlo/ops/rules.ts';
import { Site } from '../../stablehlo/ops/site.ts';
import { sizesOf } from './program.ts';
import type { Scope } from './stretch.ts';
import type { PjrtTensor } from './tensors.ts';

const NEUTRAL = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY };

/** Why the operation of a node is not printed, or undefined. */
export const refusesOp = ({ op }: LocalNode): string | undefined =>
  ruleOf(op.name) === undefined && op.role === 'compute' ? `there is no StableHLO of ${op.name}` : undefined;

/** Adds a kernel of one rank to a program. */
export function printKernel(
  { program, read, write }: Scope,
  kernel: Kernel,
  rank: number,
  tensorOf: (value: LocalValue) => PjrtTensor,
): void {
  const { frames, writer } = program;
  const local = new Map<LocalValue, Held>();
  const written = new Set(kernel.writes);
  const stored = (value: LocalValue): Held => {
    const tensor = tensorOf(value);
    const { shape, dtype, box } = tensor;
    const starts = [box.map(({ start }) => start)];
    return { tensor: read(tensor), shape, dtype, starts, sizes: sizesOf(box), boxes: [box], outside: 'anything' };
  };
  for (const { op, call, inputs, outputs, loops, name } of kernel.nodes) {
    const loop = loops[rank];
    const boxes = op.writes(call, loop);
    const places = boxes.map((box) => frameOf([box]));
    const rule = ruleOf(op.name);
    if (rule === undefined) continue;
    writer.scope(name);
    const made = isEmpty(loop)
      ? outputs.map(({ dtype }, o) =>
          writer.constant(writer.elementOf(dtype), NEUTRAL[op.combine], places[o].sizes),
        )
      : rule(
          new Site({
            frames,
            call,
            inputs: inputs.map((value) => local.get(value) ?? stored(value)),
            loops: [loop],
            reads: op.reads(call, loop).map((box) => [box]),
            outputs: places,
          }),
        );
    outputs.forEach((value, o) => {
      const { shape, dtype } = value;
      const held: Held = { tensor: made[o], shape, dtype, ...places[o], boxes: [boxes[o]], outside: 'anything' };
      local.set(value, held);
      if (written.has(value)) write(tensorOf(value), boxes[o], made[o]);
    });
  }
}
