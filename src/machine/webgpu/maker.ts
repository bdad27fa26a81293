import type { Box } from '../../core/index.ts';
import type { LocalValue } from '../../plan/index.ts';
import type { FaultWords } from './faults.ts';
import { Printer } from './print/printer.ts';
import type { Address } from './slabs.ts';
import { type GpuMemory, type GpuTensor, gpuTensor, plainWords } from './tensors.ts';
import type { WindowLimits } from './windows.ts';

/** What the launches of a call are made with. */
export interface Making {
  readonly tensorOf: (value: LocalValue) => GpuTensor;
  readonly faults: FaultWords;
  readonly limits: WindowLimits;
  /** Whose memory `scratch` is. */
  readonly home: GpuMemory;
  /** Names the operation where it fails. */
  readonly what: string;
  /** Memory for a launch's own use, only while it runs. */
  scratch(bytes: number): Address;
  /** Memory with what launches read, which stays. */
  keep(data: Uint8Array): Address;
}

/** Makes the launches of a call. */
export class Maker {
  readonly tensorOf: (value: LocalValue) => GpuTensor;
  private readonly making: Making;

  constructor(making: Making) {
    this.making = making;
    this.tensorOf = making.tensorOf;
  }

  printer(): Printer {
    return new Printer(this.making);
  }

  /** Memory for a launch's own use, only while it runs. */
  scratch(bytes: number): Address {
    return this.making.scratch(bytes);
  }

  /** Numbers that a launch reads, as pairs. */
  doubles(values: readonly number[]): Address {
    return this.making.keep(new Uint8Array(pairsOf(values).buffer));
  }

  /** Plain memory for a box of a tensor of this type, only while the launch runs. */
  plain({ shape, dtype }: Pick<GpuTensor, 'shape' | 'dtype'>, box: Box): GpuTensor {
    const type = { shape, dtype, format: plainWords({ shape, dtype }) };
    return gpuTensor(this.making.home, this.scratch(type.format.bytes(box)), type, box);
  }
}

/** Each number as the sum of two float32 ones, the larger first. */
export function pairsOf(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const pairs = new Float32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    pairs[2 * i] = values[i];
    const high = pairs[2 * i];
    pairs[2 * i + 1] = Number.isFinite(high) ? values[i] - high : 0;
  }
  return pairs;
}
