import type { Box, Shape } from '../../core/index.ts';
import type { LocalValue, StoredType } from '../../plan/index.ts';
import { blockedFormat, plainFormat } from '../formats/index.ts';
import type { Arguments, Use } from './arguments.ts';
import type { Address, KernelSource } from './driver.ts';
import type { FaultWords } from './faults.ts';
import { type FixedName, fixedKernel } from './library.ts';
import { Printer, THREADS } from './print/printer.ts';
import type { Scratch, Slabs } from './scratch.ts';
import { type CudaMemory, type CudaTensor, cudaTensor } from './tensors.ts';

/** One launch of a kernel. */
export interface Step {
  readonly source: KernelSource;
  readonly blocks: number;
  readonly args: Uint8Array;
  /** All memory that it reads or writes; absent where that is not told. */
  readonly uses?: readonly Use[];
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
  readonly scratch: Pick<Scratch, 'take' | 'inTurn'>;
  readonly slabs: Slabs;
  /** Bytes of shared memory that a block may ask for. */
  readonly shared: number;
  /** Memory with what launches read, which stays. */
  keep(data: Uint8Array): Address;
}

/** Makes the launches of a call. */
export class Maker {
  readonly tensorOf: (value: LocalValue) => CudaTensor;
  private readonly making: Making;
  private readonly standIns = new Map<LocalValue, CudaTensor>();

  constructor(making: Making) {
    this.making = making;
    this.tensorOf = (value) => this.standIns.get(value) ?? making.tensorOf(value);
  }

  /** A value that rows of this call may name, for a tensor that the plan knows nothing of; `like` is any value of the plan. */
  standIn(like: LocalValue, tensor: CudaTensor): LocalValue {
    const value = { ...like, shape: tensor.shape, dtype: tensor.dtype };
    this.standIns.set(value, tensor);
    return value;
  }

  printer(): Printer {
    const { faults, what } = this.making;
    return new Printer(this.tensorOf, faults, what);
  }

  get slabs(): Slabs {
    return this.making.slabs;
  }

  get shared(): number {
    return this.making.shared;
  }

  /** Memory for a launch's own use, only while it runs. */
  scratch(bytes: number): Address {
    return this.making.scratch.take(bytes);
  }

  /** Does one part after the other, each of which takes the scratch that the one before had. */
  inTurn<T>(parts: readonly (() => T)[]): T[] {
    return this.making.scratch.inTurn(parts);
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
    return this.tensor({ shape, dtype, format: plainFormat({ shape, dtype }) }, box);
  }

  /** bfloat16 numbers of a box, the channels in blocks, only while the launch runs. */
  blocked(shape: Shape, box: Box): CudaTensor {
    const type = { shape, dtype: 'bf16' } as const;
    return this.tensor({ ...type, format: blockedFormat(type) }, box);
  }

  private tensor(type: StoredType, box: Box): CudaTensor {
    return cudaTensor(this.making.home, this.scratch(type.format.bytes(box)), type, box);
  }
}

/** A launch of a fixed kernel over `count` elements: a thread each, or a block each. */
export function fixedStep(name: FixedName, args: Arguments, count: number, blockEach = false): Step {
  const blocks = blockEach ? count : Math.min(Math.ceil(count / THREADS), MOST_BLOCKS);
  return { source: fixedKernel(name), blocks, args: args.bytes, uses: args.uses };
}
