import type { Box } from '../../core/index.ts';
import type { LocalValue } from '../../plan/index.ts';
import { plainFormat } from '../formats/index.ts';
import type { Arguments } from './arguments.ts';
import type { Address, KernelSource } from './driver.ts';
import type { FaultWords } from './faults.ts';
import { type FixedName, fixedKernel } from './library.ts';
import { Printer, THREADS } from './print/printer.ts';
import { type CudaMemory, type CudaTensor, cudaTensor } from './tensors.ts';

/** One launch of a kernel. */
export interface Step {
  readonly source: KernelSource;
  readonly blocks: number;
  readonly args: Uint8Array;
}

/** Most blocks of kernels whose threads go on to further elements. */
export const MOST_BLOCKS = 2 ** 16;

/** What the launches of a call are made with. */
export interface Making {
  readonly tensorOf: (value: LocalValue) => CudaTensor;
  readonly faults: FaultWords;
  /** Whose memory `scratch` is. */
  readonly home: CudaMemory;
  /** Names the operation where it fails. */
  readonly what: string;
  /** Memory for a launch's own use, only while it runs. */
  scratch(bytes: number): Address;
  /** Memory with what launches read, which stays. */
  keep(data: Uint8Array): Address;
}

/** Makes the launches of a call. */
export class Maker {
  readonly tensorOf: (value: LocalValue) => CudaTensor;
  private readonly making: Making;

  constructor(making: Making) {
    this.making = making;
    this.tensorOf = making.tensorOf;
  }

  printer(): Printer {
    const { faults, what } = this.making;
    return new Printer(this.tensorOf, faults, what);
  }

  /** Memory for a launch's own use, only while it runs. */
  scratch(bytes: number): Address {
    return this.making.scratch(bytes);
  }

  /** Numbers that a launch reads. */
  doubles(values: readonly number[]): Address {
    return this.making.keep(new Uint8Array(Float64Array.from(values).buffer));
  }

  addresses(values: readonly Address[]): Address {
    return this.making.keep(new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  /** Plain memory for a box of a tensor of this type, only while the launch runs. */
  plain({ shape, dtype }: Pick<CudaTensor, 'shape' | 'dtype'>, box: Box): CudaTensor {
    const type = { shape, dtype, format: plainFormat({ shape, dtype }) };
    return cudaTensor(this.making.home, this.scratch(type.format.bytes(box)), type, box);
  }
}

/** A launch of a fixed kernel over `count` elements: a thread each, or a block each. */
export function fixedStep(name: FixedName, args: Arguments, count: number, blockEach = false): Step {
  const blocks = blockEach ? count : Math.min(Math.ceil(count / THREADS), MOST_BLOCKS);
  return { source: fixedKernel(name), blocks, args: args.bytes };
}
