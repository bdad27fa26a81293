import { availableParallelism } from 'node:os';
import { type Box, isEmpty, type Range } from '../../core/index.ts';
import {
  type Kernel,
  type LocalValue,
  type StoredType,
  transferBytes,
  wholeBytes,
} from '../../plan/index.ts';
import { callOf } from '../calls/index.ts';
import type { Device, HostArray, Memory, Message, NativeRoom, Store, Tensor, TwoParts } from '../device.ts';
import { defaultSlots } from '../formats/index.ts';
import { ROW_CODES } from '../rows/index.ts';
import { bind } from './bind.ts';
import { bindContractionInTwo } from './bind-window.ts';
import { Binder } from './binder.ts';
import { prepareCopy } from './copy.ts';
import { type ConvAlgorithm, convAlgorithm, type ExactConv } from './exact-conv.ts';
import { HostCopies } from './host.ts';
import { type Address, after, type Library, library } from './library.ts';
import { boxView, type CpuTensor, cpuTensor, operandOf } from './storage.ts';
import { Arguments, type Instruction } from './structs.ts';
import { CPU_TARGET } from './target.ts';

/** Memory, and the launch arguments that are freed with it. */
interface CpuMemory extends Memory {
  readonly address: Address;
  readonly args: Arguments;
}

/** A tensor that remembers the memory that it lies in. */
interface PlacedTensor extends CpuTensor {
  readonly home: CpuMemory;
  /** Bytes that a store moves: whole pages where the plan gave it whole pages. */
  readonly stored: number;
}

/** Milliseconds that one look at a store may take. */
const STORE_WAIT = 20;

export interface CpuOptions {
  /** All cores by default. */
  readonly threads?: number;
  /** See {@link ExactConv}; by default what HALOMESH_CONV says, else `auto`. */
  readonly exactConv?: ExactConv;
}

/** The CPU device: the native kernels on `threads` threads. */
export function cpuDevice({ threads = availableParallelism(), exactConv }: CpuOptions = {}): Device {
  const lib = library();
  lib.call('hm_set_threads', threads);
  return new CpuDevice(lib, convAlgorithm(exactConv));
}

class CpuDevice implements Device {
  readonly name = CPU_TARGET.name;
  readonly fusion = CPU_TARGET.fusion;
  readonly refuses = CPU_TARGET.refuses;
  readonly formats = CPU_TARGET.formats;
  readonly plain = CPU_TARGET.plain;
  readonly spaces = CPU_TARGET.spaces;
  private readonly library: Library;
  private readonly conv: ConvAlgorithm;
  private readonly copies = new WeakMap<Tensor, Map<Tensor, Map<Box, () => void>>>();
  private readonly combines = new WeakMap<Tensor, Map<string, () => void>>();
  private readonly ids = new WeakMap<Tensor, number>();
  private nextId = 0;
  private readonly host: HostCopies;

  constructor(lib: Library, conv: ConvAlgorithm) {
    this.library = lib;
    this.conv = conv;
    this.host = new HostCopies(lib);
  }

  allocate(bytes: number, room = bytes): CpuMemory {
    const args = new Arguments(this.library);
    const roomy = room > bytes ? this.library.reserve(room) : undefined;
    if (roomy !== undefined) return { bytes: room, address: roomy, args };
    return { bytes, address: this.library.allocate(bytes), args };
  }

  free(memory: Memory): void {
    const { address, args } = memory as CpuMemory;
    args.free();
    this.library.call('hm_free', address, Math.max(memory.bytes, 64));
  }

  openStore(folder: string, bytes: number): Store {
    const store = this.library.openStore(folder, bytes);
    const sized = (tensor: Tensor) => {
      const { address, stored } = tensor as PlacedTensor;
      return [address, stored] as const;
    };
    return {
      bytes,
      write: (tensor, offset) => store.write(...sized(tensor), offset),
      read: (tensor, offset) => store.read(...sized(tensor), offset),
      settled: (ticket) => store.wait(ticket, STORE_WAIT),
      close: () => store.close(),
    };
  }

  tensor(memory: Memory, offset: number, type: StoredType, box: Box): PlacedTensor {
    const home = memory as CpuMemory;
    const stored = wholeBytes(this.spaces.tensors, type.format.bytes(box));
    return { ...cpuTensor(after(home.address, offset), type, box), home, stored };
  }

  write(tensor: Tensor, box: Box, data: HostArray): void {
    this.host.write(tensor as CpuTensor, box, data);
  }

  read(tensor: Tensor, box: Box): HostArray {
    return this.host.read(tensor as CpuTensor, box);
  }

  copyBox(to: Tensor, from: Tensor, box: Box): void {
    const byFrom = entry(this.copies, to, () => new Map<Tensor, Map<Box, () => void>>());
    const byBox = entry(byFrom, from, () => new Map<Box, () => void>());
    const prepare = () => prepareCopy(this.library, argsOf(to), to as CpuTensor, from as CpuTensor, box);
    entry(byBox, box, prepare)();
  }

  messageBytes(tensor: Tensor, box: Box): number {
    return transferBytes(tensor, box);
  }

  message(tensor: Tensor, box: Box, room: NativeRoom): Message {
    const { shape, dtype } = tensor;
    const { home } = tensor as PlacedTensor;
    const format = this.plain(tensor);
    const plain = cpuTensor(room.address as Address, { shape, dtype, format }, box);
    const there: PlacedTensor = { ...plain, home, stored: 0 };
    const copy = (to: Tensor, from: Tensor): (() => void) =>
      prepareCopy(this.library, argsOf(tensor), to as CpuTensor, from as CpuTensor, box);
    const bytes = transferBytes(tensor, box);
    return { bytes, pack: copy(there, tensor), unpack: copy(tensor, there), tensor: there };
  }

  combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min'): void {
    if (isEmpty(tensors[0].box)) return;
    const key = `${how}:${tensors.map((t) => this.idOf(t)).join(',')}`;
    const known = entry(this.combines, tensors[0], () => new Map<string, () => void>());
    entry(known, key, () => this.prepareCombine(tensors as readonly CpuTensor[], how))();
  }

  prepare(kernel: Kernel, rank: number, tensorOf: (value: LocalValue) => Tensor, memory: Memory): () => void {
    return bind(callOf(kernel, rank, tensorOf), this.binder(memory, tensorOf));
  }

  prepareInTwo(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    memory: Memory,
    ready: Box,
  ): TwoParts | undefined {
    const call = callOf(kernel, rank, tensorOf);
    if (call.op !== 'conv' && call.op !== 'conv_transpose') return undefined;
    // Loops of a contraction begin with the dimensions of its output; parts are cut in space.
    const { box } = call.out;
    const last = box.length - 1;
    const spaceAlone = [0, last].every((dim) => sameRange(ready[dim], box[dim]));
    if (!spaceAlone) return undefined;
    return bindContractionInTwo(call, this.binder(memory, tensorOf), ready.slice(0, box.length));
  }

  private binder(memory: Memory, tensorOf: (value: LocalValue) => Tensor): Binder {
    return new Binder(this.library, (memory as CpuMemory).args, tensorOf, this.conv);
  }

  pollWith(poll: number): void {
    this.library.call('hm_set_poll', poll);
  }

  private prepareCombine(tensors: readonly CpuTensor[], how: 'sum' | 'max' | 'min'): () => void {
    const [first] = tensors;
    const { shape, box } = first;
    const slots = defaultSlots(shape);
    const code = ROW_CODES[COMBINE[how]];
    const none = { dst: -1, a: -1, b: -1, c: -1, operand: -1, key0: 0, key1: 0, imm: 0 };
    const instructions: Instruction[] = [{ ...none, op: ROW_CODES.LOAD, dst: 0, operand: 0 }];
    for (let i = 1; i < tensors.length; i++)
      instructions.push(
        { ...none, op: ROW_CODES.LOAD, dst: 1, operand: i },
        { ...none, op: code, dst: 2, a: 0, b: 1 },
        { ...none, op: ROW_CODES.COPY, dst: 0, a: 2 },
      );
    tensors.forEach((_, i) => {
      instructions.push({ ...none, op: ROW_CODES.STORE, a: 0, operand: i });
    });
    const args = argsOf(first);
    const program = args.program({
      instructions,
      operands: tensors.map((tensor) => operandOf(tensor, slots)),
      registers: 3,
      wide: true,
      input: -1,
      result: -1,
      global: boxView({ shape, box, slots }).global,
    });
    const region = args.viewAt(boxView({ shape, box, slots }));
    return () => this.library.call('hm_rows', program, region);
  }

  private idOf(tensor: Tensor): number {
    return entry(this.ids, tensor, () => this.nextId++);
  }
}

const COMBINE = { sum: 'ADD', max: 'MAX', min: 'MIN' } as const;

const sameRange = (a: Range, b: Range): boolean => a.start === b.start && a.end === b.end;

/** Arguments that live as long as a tensor's memory. */
const argsOf = (tensor: Tensor): Arguments => (tensor as PlacedTensor).home.args;

/** The entry of a map, made at the first request. */
function entry<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
