import { type Box, hull, type TensorType } from '../../core/index.ts';
import type { Step } from '../fusion/kernel.ts';
import type { LocalProgram, LocalValue } from '../program.ts';
import type { Format, StoredType } from '../target.ts';

/**
 * Memory of one tensor on every rank. Values that are the same memory share it: a tensor and its margins, a partial sum and
 * its all-reduced total, a variable and what is assigned to it.
 */
export interface Buffer extends StoredType {
  readonly id: number;
  /** Place among the buffers of its plan. */
  readonly index: number;
  /** Scope path of the operation that makes it. */
  readonly name: string;
  /** Stored box of each rank: everything that any of its values holds. */
  readonly boxes: readonly Box[];
  /** Name of the variable that lives here from run to run. */
  readonly variable?: string;
}

/** Which buffer holds each value that a step reads or writes; buffers come in the order of their places. */
export function assignBuffers(
  program: LocalProgram,
  steps: readonly Step[],
  formatOf: (type: TensorType) => Format,
): Map<LocalValue, Buffer> {
  const stored = new Set<LocalValue>();
  for (const step of steps) for (const value of [...step.reads, ...step.writes]) stored.add(value);
  // Unread inputs and variables still need a place to be written to.
  for (const value of [...program.inputs.values(), ...program.variables.values()]) stored.add(value);

  const root = new Map<LocalValue, LocalValue>();
  const rootOf = (value: LocalValue): LocalValue => {
    const up = root.get(value);
    return up === undefined ? value : rootOf(up);
  };
  for (const value of stored) {
    const { op, inputs, collective } = value.producer;
    const shares =
      op.role === 'assign' ||
      (collective !== undefined && (collective.kind === 'all_reduce' || collective.inPlace));
    if (shares) root.set(value, inputs[0]);
  }

  const groups = new Map<LocalValue, LocalValue[]>();
  for (const value of stored) {
    const top = rootOf(value);
    const group = groups.get(top);
    if (group) group.push(value);
    else groups.set(top, [value]);
  }
  const names = new Map([...program.variables].map(([name, value]) => [value, name]));
  const buffers = new Map<LocalValue, Buffer>();
  let index = 0;
  for (const [top, values] of groups) {
    const boxes = top.own.map((_, rank) =>
      values.reduce((box, value) => hull(box, value.valid[rank]), top.valid[rank]),
    );
    const { id, shape, dtype } = top;
    const { name } = top.producer;
    const variable = names.get(top);
    const buffer = { id, index: index++, name, shape, dtype, boxes, variable, format: formatOf(top) };
    for (const value of values) buffers.set(value, buffer);
  }
  return buffers;
}
