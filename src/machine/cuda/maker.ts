import type { Box } from '../../core/index.ts';
import type { LocalValue } from '../../plan/index.ts';
import { plainFormat } from '../formats/index.ts';
import type { Arguments } from './arguments.ts';
import type { Address, KernelSource } from './driver.ts';
import type { Faults } from './faults.ts';
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
export class Maker {
  readonly tensorOf: (value: LocalValue) => CudaTensor;
  private readonly owner: CudaMemory;
  private readonly faults: Faults;
  private readonly what: string;
  private readonly take: (bytes: number) => Address;
  private readonly put: (to: Address, data: Uint8Array) => void;

  /** `owner`: what memory for launches is freed with. `what`: names the operation where it fails. */
  constructor(options: {
    tensorOf: (value: LocalValue) => CudaTensor;
    owner: CudaMemory;
    faults: Faults;
    what: string;
    take: (bytes: number) => Address;
    put: (to: Address, data: Uint8Array) => void;
  }) {
    this.tensorOf = options.tensorOf;
    this.owner = options.owner;
    this.faults = options.faults;
    this.what = options.what;
    this.take = options.take;
    this.put = options.put;
  }

  printer(): Printer {
    return new Printer(this.tensorOf, this.faults, this.what);
  }

  /** Memory for a launch's own use. */
  scratch(bytes: number): Address {
    const address = this.take(bytes);
    this.owner.kept.push({ address, bytes });
    return address;
  }

  /** Numbers that a launch reads. */
  doubles(values: readonly number[]): Address {
    const address = this.scratch(8 * values.length);
    this.put(address, new Uint8Array(Float64Array.from(values).buffer));
    return address;
  }

  addresses(values: readonly Address[]): Address {
    const address = this.scratch(8 * values.length);
    this.put(address, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
    return address;
  }

  /** Plain memory for a box of a tensor of this type. */
  plain({ shape, dtype }: Pick<CudaTensor, 'shape' | 'dtype'>, box: Box): CudaTensor {
    const type = { shape, dtype, format: plainFormat({ shape, dtype }) };
    return cudaTensor(this.owner, this.scratch(type.format.bytes(box)), type, box);
  }
}

/** A launch of a fixed kernel over `count` elements: a thread each, or a block each. */
export function fixedStep(name: FixedName, args: Arguments, count: number, blockEach = false): Step {
  const blocks = blockEach ? count : Math.min(Math.ceil(count / THREADS), MOST_BLOCKS);
  return { source: fixedKernel(name), blocks, args: args.bytes };
}
