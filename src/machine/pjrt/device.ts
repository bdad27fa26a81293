import { type Box, isEmpty } from '../../core/index.ts';
import type { Kernel, LocalValue, StoredType, Target } from '../../plan/index.ts';
import type { Device, HostArray, Launch, Mark, Memory, Spill, Tensor, Transport } from '../device.ts';
import { hostTransport } from '../host-messages.ts';
import { hostSpill } from '../host-spill.ts';
import { Arrays, checkAlike } from './arrays.ts';
import { arrayBytes, type Client } from './client.ts';
import { acquire, pluginOf, release } from './clients.ts';
import { printKernel } from './kernel.ts';
import { labelChecks } from './labels.ts';
import { type Known, Launches, type Running } from './launches.ts';
import { bytesOf } from './numbers.ts';
import { sizesOf } from './program.ts';
import { Programs } from './programs.ts';
import { Queue } from './queue.ts';
import { pjrtTarget } from './target.ts';
import { own, type PjrtMemory, type PjrtTensor } from './tensors.ts';

/** A device that runs what XLA or another compiler behind the PJRT C interface compiles. Ranks take the devices of the client in turn. */
export function pjrtDevice(library: string): Device {
  return new PjrtDevice(library);
}

class PjrtDevice implements Device {
  readonly target: Target = pjrtTarget();
  readonly transport: Transport;
  private readonly library: string;
  private readonly queue: Queue;
  private readonly launches: Launches;
  private readonly known = new WeakMap<PjrtMemory, Known>();
  private running: Running | undefined;
  private taken = 0;
  private closed = false;

  constructor(library: string) {
    this.library = library;
    // What is wrong with the library is said at once.
    pluginOf(library);
    const opening = acquire(library);
    this.queue = new Queue(opening);
    this.launches = new Launches((work) => this.queue.ask((client) => work(this.with(client))));
    this.transport = hostTransport({
      read: (tensor, box) => this.download(tensor, box),
      write: (tensor, box, data) => this.upload(tensor, box, data),
      mark: () => this.mark(),
    });
  }

  private with(client: Client): Running {
    if (this.running === undefined) {
      const programs = new Programs(client, this.queue);
      this.running = { client, programs, arrays: new Arrays(client, programs) };
    }
    return this.running;
  }

  /** Asks for something that comes after all launches before it. */
  private ask(work: (running: Running) => Promise<void> | void): void {
    this.launches.flush();
    this.queue.ask((client) => work(this.with(client)));
  }

  private get<T>(work: (running: Running) => Promise<T>): Promise<T> {
    this.launches.flush();
    return this.queue.get((client) => work(this.with(client)));
  }

  allocate(bytes: number, room = bytes): PjrtMemory {
    this.taken += bytes;
    return { bytes: Math.max(bytes, room), asked: bytes, live: new Set(), programs: new Set() };
  }

  free(memory: Memory): void {
    const { asked, live, programs } = memory as PjrtMemory;
    this.launches.flush();
    this.taken -= asked;
    this.queue.atEnd((client) => {
      const { arrays } = this.with(client);
      for (const tensor of live) arrays.drop(tensor);
      for (const executable of programs) client.freeExecutable(executable);
      programs.clear();
    });
  }

  openSpill(_folder: string | undefined, bytes: number): Spill {
    return hostSpill(bytes, {
      where: 'device pjrt',
      bytes: (tensor) => arrayBytes(own(tensor)),
      read: (tensor) => this.get(({ arrays }) => arrays.bytes(own(tensor), tensor.box, 'spill')),
      // Arrays may be handed on, and what was spilled may be fetched again.
      write: (tensor, data) => {
        const copy = data.slice();
        this.ask(({ arrays }) => arrays.write(own(tensor), tensor.box, copy, 'prefetch'));
      },
    });
  }

  tensor(memory: Memory, offset: number, { shape, dtype }: StoredType, box: Box): PjrtTensor {
    const sizes = sizesOf(box);
    const home = memory as PjrtMemory;
    const to = offset + arrayBytes({ dtype, sizes });
    return { shape, dtype, box, sizes, memory: home, from: offset, to, content: undefined };
  }

  upload(tensor: Tensor, box: Box, data: HostArray): void {
    if (isEmpty(box)) return;
    const bytes = bytesOf(tensor.dtype, data);
    this.ask(({ arrays }) => arrays.write(own(tensor), box, bytes, 'upload'));
  }

  download(tensor: Tensor, box: Box): Promise<HostArray> {
    return this.get(({ arrays }) => arrays.read(own(tensor), box));
  }

  copy(to: Tensor, from: Tensor, box: Box): Launch {
    return {
      run: () => {
        if (!isEmpty(box)) this.ask(({ arrays }) => arrays.copy(own(to), own(from), box));
      },
    };
  }

  combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min', first?: 'first'): Launch {
    const all = tensors.map(own);
    checkAlike(all);
    const results = first === undefined ? all : all.slice(0, 1);
    return { run: () => this.ask(({ arrays }) => arrays.combine(all, how, results)) };
  }

  async prepare(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    owner: Memory,
  ): Promise<Launch> {
    const home = owner as PjrtMemory;
    const known: Known = this.known.get(home) ?? new Map();
    this.known.set(home, known);
    const placed = (value: LocalValue) => own(tensorOf(value));
    const node = kernel.anchor ?? kernel.nodes[kernel.nodes.length - 1];
    return this.launches.launch(home, known, {
      what: node.call.where,
      rank,
      labels: labelChecks(kernel, placed),
      print: (scope) => printKernel(scope, kernel, rank, placed),
    });
  }

  mark(): Mark {
    this.launches.flush();
    return this.queue.mark();
  }

  done(): Promise<void> {
    return this.mark().wait();
  }

  get held(): number {
    return this.taken;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.launches.flush();
    this.queue.atEnd(async (client) => {
      await this.queue.settle(client);
      this.running?.programs.close();
      release(this.library, client);
    });
  }
}
