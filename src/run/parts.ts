import {
  type Box,
  boxVolume,
  isEmpty,
  rowMajorStrides,
  showBox,
  type TensorType,
  volume,
} from '../core/index.ts';
import type { HostArray, Processes } from '../machine/index.ts';
import { scatter } from './rows.ts';

/** Whether every rank holds all of a tensor. */
export const heldByAll = ({ shape }: TensorType, boxes: readonly Box[]): boolean =>
  boxes.every((box) => boxVolume(box) === volume(shape));

/** What {@link fromParts} puts together. */
export interface Parts {
  readonly type: TensorType;
  /** What each rank holds. */
  readonly boxes: readonly Box[];
  /** Numbers of this process's rank. */
  readonly part: HostArray;
  /** Processes that get the whole. */
  readonly to: readonly number[];
}

/**
 * A whole tensor from parts that lie in several processes, one rank in each; all call it. A part travels once to each process
 * that asks for the whole; others get an array without numbers.
 */
export async function fromParts(
  processes: Processes,
  label: string,
  { type, boxes, part, to }: Parts,
): Promise<HostArray> {
  const wanted = to.includes(processes.index);
  const whole = arrayLike(part, wanted ? volume(type.shape) : 0);
  const seen = new Set<string>();
  for (const [owner, [rank]] of processes.ranks.entries()) {
    const box = boxes[rank];
    if (isEmpty(box) || seen.has(showBox(box))) continue;
    seen.add(showBox(box));
    const mine = owner === processes.index;
    const data = mine ? part : arrayLike(part, wanted ? boxVolume(box) : 0);
    const takers = to.filter((taker) => taker !== owner);
    if (takers.length > 0) await processes.deliver(label, bytesOf(data), owner, takers);
    if (wanted) scatter(data, box, whole, strides(type));
  }
  return whole;
}

export const strides = ({ shape }: TensorType): readonly number[] =>
  rowMajorStrides(shape.map((dim) => dim.size));

export function arrayLike(data: HostArray, length: number): HostArray {
  return new (data.constructor as new (length: number) => HostArray)(length);
}

function bytesOf(data: HostArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
