import { availableParallelism } from 'node:os';
import { type Box, fail, isEmpty, type Range } from '../../core/index.ts';
import {
  type Kernel,
  type LocalNode,
  type LocalValue,
  type StoredType,
  transferBytes,
  wholePages,
} from '../../plan/index.ts';
import type { Device, HostArray, Memory, Message, NativeRoom, Store, Tensor, TwoParts } from '../device.ts';
import { leavesLanes } from './class-rows.ts';
import { type ConvAlgorithm, convAlgorithm, type ExactConv } from './exact-conv.ts';
import { HostCopies } from './host.ts';
import { kernelOf } from './kernels.ts';
import { Launch, prepareCopy } from './launch.ts';
import { type Address, after, type Library, library } from './library.ts';
import {
  boxView,
  type CpuTensor,
  cpuTensor,
  defaultSlots,
  operandOf,
  plainTypes,
  storageBytes,
} from './storage.ts';
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
  readonly plain = plainTypes;
  readonly storageBytes = storageBytes;
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
    const stored = wholePages(storageBytes(type, box));
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
    const plain = cpuTensor(room.address as Address, { shape, dtype, plain: true }, box);
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
    const launch = new Launch(this.library, (memory as CpuMemory).args, kernel, rank, tensorOf, this.conv);
    const { anchor } = kernel;
    if (anchor === undefined || anchor.op.name === 'assign') return this.prepareRows(launch);
    const rule = kernelOf(anchor.op.name);
    if (!rule) return fail({ where: anchor.call.where, problem: 'the CPU device has no kernel for it' });
    return isEmpty(anchor.loops[rank]) ? this.prepareNothing(launch) : rule.prepare(launch);
  }

  prepareInTwo(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    memory: Memory,
    ready: Box,
  ): TwoParts | undefined {
    const { anchor } = kernel;
    if (anchor === undefined || isEmpty(anchor.loops[rank])) return undefined;
    // Parts are cut in space.
    const spaceAlone = [0, anchor.outputs[0].shape.length - 1].every((dim) =>
      sameRange(ready[dim], anchor.loops[rank][dim]),
    );
    if (!spaceAlone) return undefined;
    const rule = kernelOf(anchor.op.name);
    const args = (memory as CpuMemory).args;
    return rule?.prepareInTwo?.(new Launch(this.library, args, kernel, rank, tensorOf, this.conv), ready);
  }

  pollWith(poll: number): void {
    this.library.call('hm_set_poll', poll);
  }

  /** Element-wise operations and sums in one pass over their iteration. */
  private prepareRows(launch: Launch): () => void {
    const { kernel, rank } = launch;
    const root = kernel.writes[0].producer;
    const summed = isLeft(root);
    const { shape } = summed ? root.call.inputs[0] : root.call.outputs[0];
    const box = summed ? root.op.reads(root.call, root.loops[rank])[0] : root.loops[rank];
    if (isEmpty(box)) return this.prepareNothing(launch);
    const slots = defaultSlots(shape);
    const stored = [...kernel.nodes, ...kernel.writes.map((value) => value.producer)];
    const wide = stored.some((node) => !isLeft(node) && node.outputs[0].dtype === 'f64');
    const program = launch.rows(shape, slots, wide);
    for (const value of kernel.writes) {
      if (value.producer.op.name === 'assign') program.storeAs(value.producer.inputs[1], value);
      else launch.leave(program, value);
    }
    const address = launch.args.program(program.build());
    const region = launch.box(shape, box, slots);
    return () => this.library.call('hm_rows', address, region);
  }

  /** A rank without work still leaves the neutral element where its part of a reduction is awaited. */
  private prepareNothing(launch: Launch): () => void {
    const fills = launch.kernel.writes.flatMap((value) => {
      const { own, producer } = value;
      if (isEmpty(own[launch.rank])) return [];
      const tensor = launch.tensorOf(value);
      const slots = defaultSlots(tensor.shape);
      const region = boxView(tensor.shape, own[launch.rank], slots);
      const neutral = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }[
        producer.op.combine
      ];
      const list = [
        launch.view(tensor, slots),
        launch.args.longs(region.start),
        launch.args.longs(region.size),
      ];
      return [() => this.library.call('hm_fill', ...list, neutral)];
    });
    return () => {
      for (const fill of fills) fill();
    };
  }

  private prepareCombine(tensors: readonly CpuTensor[], how: 'sum' | 'max' | 'min'): () => void {
    const [first] = tensors;
    const { shape, box } = first;
    const slots = defaultSlots(shape);
    const code = { sum: 5, max: 10, min: 9 }[how]; // HM_ADD, HM_MAX, HM_MIN
    const none = { dst: -1, a: -1, b: -1, c: -1, operand: -1, key0: 0, key1: 0, imm: 0 };
    const instructions: Instruction[] = [{ ...none, op: 0, dst: 0, operand: 0 }];
    for (let i = 1; i < tensors.length; i++)
      instructions.push(
        { ...none, op: 0, dst: 1, operand: i },
        { ...none, op: code, dst: 2, a: 0, b: 1 },
        { ...none, op: 4, dst: 0, a: 2 },
      );
    tensors.forEach((_, i) => {
      instructions.push({ ...none, op: 1, a: 0, operand: i });
    });
    const args = argsOf(first);
    const program = args.program({
      instructions,
      operands: tensors.map((tensor) => operandOf(tensor, slots)),
      registers: 3,
      wide: true,
      input: -1,
      result: -1,
      global: boxView(shape, box, slots).global,
    });
    const region = args.viewAt(boxView(shape, box, slots));
    return () => this.library.call('hm_rows', program, region);
  }

  private idOf(tensor: Tensor): number {
    return entry(this.ids, tensor, () => this.nextId++);
  }
}

const sameRange = (a: Range, b: Range): boolean => a.start === b.start && a.end === b.end;

/** True for what a pass over input 0 leaves: sums, and one number a position. */
const isLeft = (node: LocalNode): boolean => node.op.name === 'reduce_sum' || leavesLanes(node);

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
