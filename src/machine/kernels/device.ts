import { type Box, isEmpty, sameRange } from '../../core/index.ts';
import { type Kernel, type LocalValue, type StoredType, type Target, wholeBytes } from '../../plan/index.ts';
import { launchOf, passedMark } from '../at-once.ts';
import { type ContractionCall, callOf } from '../calls/index.ts';
import type { Device, HostArray, Launch, Memory, Spill, Tensor, Transport } from '../device.ts';
import { bind } from './bind.ts';
import { bindContractionInTwo } from './bind-window.ts';
import { Binder } from './binder.ts';
import { prepareCombine } from './combine.ts';
import { prepareCopy } from './copy.ts';
import { HostCopies } from './host-copies.ts';
import { type Address, after, type ConvAlgorithm, type Kernels } from './library.ts';
import { type KernelTensor, kernelTensor } from './storage.ts';
import { Arguments } from './structs.ts';

/** Memory, and the launch arguments that are freed with it. */
interface KernelMemory extends Memory {
  readonly address: Address;
  readonly args: Arguments;
}

/** A tensor that remembers the memory that it lies in. */
export interface PlacedTensor extends KernelTensor {
  readonly home: KernelMemory;
  /** Bytes that a spill moves: whole pages where the plan gave it whole pages. */
  readonly stored: number;
}

/** What devices have in common that compute with the kernels of native/: all but where memory comes from and goes to. */
export abstract class KernelDevice implements Device {
  readonly target: Target;
  protected readonly kernels: Kernels;
  protected readonly host: HostCopies;
  private readonly conv: ConvAlgorithm;

  constructor(kernels: Kernels, conv: ConvAlgorithm, target: Target) {
    this.target = target;
    this.kernels = kernels;
    this.conv = conv;
    this.host = new HostCopies(kernels);
  }

  abstract granted(): number;
  abstract openSpill(folder: string | undefined, bytes: number): Spill;
  abstract readonly transport: Transport;

  get instructionSet(): string {
    return this.kernels.isa;
  }

  allocate(bytes: number, room = bytes): KernelMemory {
    const args = new Arguments(this.kernels);
    const roomy = room > bytes ? this.kernels.reserve(room) : undefined;
    if (roomy !== undefined) return { bytes: room, address: roomy, args };
    return { bytes, address: this.kernels.allocate(bytes), args };
  }

  free(memory: Memory): void {
    const { address, args } = memory as KernelMemory;
    args.free();
    this.kernels.free(address, memory.bytes);
  }

  tensor(memory: Memory, offset: number, type: StoredType, box: Box): PlacedTensor {
    const home = memory as KernelMemory;
    const stored = wholeBytes(this.target.spaces.tensors, type.format.bytes(box));
    return { ...kernelTensor(after(home.address, offset), type, box), home, stored };
  }

  upload(tensor: Tensor, box: Box, data: HostArray): void {
    this.host.write(tensor as KernelTensor, box, data);
  }

  async download(tensor: Tensor, box: Box): Promise<HostArray> {
    return this.host.read(tensor as KernelTensor, box);
  }

  copy(to: Tensor, from: Tensor, box: Box): Launch {
    return launchOf(prepareCopy(this.kernels, argsOf(to), to as KernelTensor, from as KernelTensor, box));
  }

  combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min', first?: 'first'): Launch {
    if (isEmpty(tensors[0].box)) return launchOf(() => undefined);
    const args = argsOf(tensors[0]);
    const stored = first === undefined ? tensors.length : 1;
    return launchOf(prepareCombine(this.kernels, args, tensors as readonly KernelTensor[], how, stored));
  }

  async prepare(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    owner: Memory,
    scratch?: Tensor,
  ): Promise<Launch> {
    const call = callOf(kernel, rank, tensorOf);
    const { args } = owner as KernelMemory;
    const binder = new Binder(this.kernels, args, tensorOf, this.conv, scratch as KernelTensor | undefined);
    const run = bind(call, binder);
    // Between the parts others may use the scratch.
    if ((call.op !== 'conv' && call.op !== 'conv_transpose') || scratch !== undefined) return { run };
    return { run, parts: (ready) => contractionParts(call, binder, ready) };
  }

  readonly mark = passedMark;

  async done(): Promise<void> {}

  get held(): number {
    return this.kernels.held;
  }

  close(): void {
    this.host.close();
  }
}

/** A contraction in two launches; its loops begin with the dimensions of its output, and parts are cut in space. */
function contractionParts(
  call: ContractionCall,
  binder: Binder,
  ready: Box,
): readonly [Launch, Launch] | undefined {
  const { box } = call.out;
  const spaceAlone = [0, box.length - 1].every((dim) => sameRange(ready[dim], box[dim]));
  if (!spaceAlone) return undefined;
  const { first, second } = bindContractionInTwo(call, binder, ready.slice(0, box.length));
  return [launchOf(first), launchOf(second)];
}

/** Arguments that live as long as a tensor's memory. */
const argsOf = (tensor: Tensor): Arguments => (tensor as PlacedTensor).home.args;
