import type { DType } from '../../core/index.ts';
import type { Place } from '../formats/index.ts';
import type { Address } from './driver.ts';

// The struct of arguments of a kernel: its members as C++ text, and its bytes. Every member is a multiple of 8 bytes.

/** C++ types of stored elements. */
export const TYPES: Readonly<Record<DType, string>> = {
  f32: 'float',
  bf16: 'bf16',
  f64: 'double',
  u8: 'u8',
  i32: 'int',
};

/** `type_` constants of native/cuda/any.h. */
export const TYPE_CODES: Readonly<Record<DType, number>> = { f32: 0, bf16: 1, f64: 2, u8: 3, i32: 4 };

/** Size of a dimension that a view lacks: `any_size` of native/cuda/device.h. */
const ANY_SIZE = 0x7fffffff;

/** Memory that a launch reads or writes, by its bytes. */
export interface Use {
  readonly begin: Address;
  readonly end: Address;
  writes: boolean;
}

/** Memory as a use names it. */
type Extent = { readonly address: Address; readonly bytes: number };
export const useOf = ({ address, bytes }: Extent, writes = false): Use => ({
  begin: address,
  end: address + bytes,
  writes,
});

export class Arguments {
  private readonly used: Use[] = [];
  /** Whether a pointer goes where nobody was told of. */
  private open = false;
  private readonly declared: string[] = [];
  private data = new DataView(new ArrayBuffer(1024));
  private taken = 0;

  /** The members, a line each. */
  get members(): string {
    return this.declared.map((line) => `  ${line}\n`).join('');
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.data.buffer, 0, this.taken);
  }

  /** All memory that they point to; undefined where that is not told. */
  get uses(): readonly Use[] | undefined {
    return this.open ? undefined : this.used;
  }

  private note(use: Use | undefined): void {
    if (use === undefined) this.open = true;
    else this.used.push(use);
  }

  long(name: string, value: number): void {
    this.declared.push(`i64 ${name};`);
    this.putLong(value);
  }

  /** A Divider by a whole number below 2^31. */
  divider(name: string, by: number): void {
    this.declared.push(`Divider ${name};`);
    const bits = Math.ceil(Math.log2(by));
    const multiplier = (2n ** BigInt(31 + bits) + BigInt(by - 1)) / BigInt(by);
    for (const x of [by, Number(multiplier), 31 + bits, 0]) this.data.setUint32(this.next(4), x, true);
  }

  double(name: string, value: number): void {
    this.declared.push(`double ${name};`);
    const at = this.next(8);
    this.data.setFloat64(at, value, true);
  }

  longs(name: string, values: readonly number[]): void {
    this.declared.push(`i64 ${name}[${values.length}];`);
    for (const value of values) this.putLong(value);
  }

  /** `use`: what is reached by it. */
  pointer(name: string, type: string, address: Address, use?: Use): void {
    this.note(use);
    this.declared.push(`${type} *${name};`);
    this.putLong(address);
  }

  /** A View. `present`: whether the tensor has each dimension. */
  view(
    name: string,
    dtype: DType,
    address: Address,
    place: Place,
    present: readonly boolean[],
    use?: Use,
  ): void {
    this.note(use);
    this.declared.push(`View<${TYPES[dtype]}, ${place.block}> ${name};`);
    this.putLong(address);
    const start = place.start.map((x, i) => (present[i] ? x : 0));
    const size = place.size.map((x, i) => (present[i] ? x : ANY_SIZE));
    for (const x of [...start, ...size]) {
      const at = this.next(4);
      this.data.setInt32(at, x, true);
    }
    for (const [i, x] of place.stride.entries()) this.putLong(present[i] ? x : 0);
  }

  /** An AnyView; `writes`: whether its numbers are written, not read. */
  anyView(name: string, tensor: Extent & { readonly dtype: DType }, place: Place, writes: boolean): void {
    const { dtype, address } = tensor;
    this.note(useOf(tensor, writes));
    this.declared.push(`AnyView ${name};`);
    for (const x of [address, TYPE_CODES[dtype], place.block]) this.putLong(x);
    for (const x of [...place.start, ...place.size, ...place.stride]) this.putLong(x);
  }

  private putLong(value: number): void {
    const at = this.next(8);
    this.data.setBigInt64(at, BigInt(value), true);
  }

  /** Where the next `bytes` bytes go. */
  private next(bytes: number): number {
    const at = this.taken;
    this.taken += bytes;
    if (this.taken > this.data.byteLength) {
      const larger = new Uint8Array(2 * this.data.byteLength);
      larger.set(new Uint8Array(this.data.buffer));
      this.data = new DataView(larger.buffer);
    }
    return at;
  }
}
