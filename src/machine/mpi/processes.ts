import { hostname } from 'node:os';
import { fail } from '../../core/index.ts';
import type { Device } from '../device.ts';
import type { Processes, World } from '../world.ts';
import { type MpiLibrary, startMpi } from './library.ts';
import { Post, type PostOptions } from './post.ts';
import { MOST_VIEWED } from './staging.ts';
import { transportAsked } from './ways.ts';
import { MpiWorld } from './world.ts';

let joined: MpiProcesses | undefined;

/** The processes that were started together, one for each rank; joins them at the first call. */
export function mpiProcesses(): MpiProcesses {
  const options = { transport: transportAsked() };
  const chunkBytes = setting('HALOMESH_MPI_CHUNK');
  joined ??= new MpiProcesses(startMpi({ chunkBytes, silence: setting('HALOMESH_MPI_SILENCE') }), options);
  return joined;
}

function setting(name: string): number | undefined {
  const text = process.env[name] ?? '';
  if (text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  return fail({ where: name, problem: `expected a number, found "${text}"` });
}

/** Ends the processes of all ranks at once; returns where this process has joined none. */
export function abortMpi(code: number): void {
  joined?.abort(code);
}

/** Leaves in order, when all others do. */
export async function finishMpi(): Promise<void> {
  await joined?.leave();
  joined = undefined;
}

/** One rank in each process. */
export class MpiProcesses implements Processes {
  readonly ranks: readonly (readonly number[])[];
  readonly index: number;
  machines?: readonly number[];
  private located?: Promise<readonly number[]>;
  private readonly post: Post;

  constructor(mpi: MpiLibrary, options?: Partial<PostOptions>) {
    this.post = new Post(mpi, options);
    this.index = mpi.rank;
    this.ranks = Array.from({ length: mpi.size }, (_, rank) => [rank]);
  }

  /** So that messages cross between machines as seldom as they can. */
  locate(): Promise<readonly number[]> {
    this.located ??= this.share('names of machines', hostname()).then((names) => {
      const different = [...new Set(names)];
      const machines = names.map((name) => different.indexOf(name));
      if (different.length > 1) this.machines = machines;
      return machines;
    });
    return this.located;
  }

  world(device: Device): World {
    return new MpiWorld(this, device, this.post);
  }

  async share(label: string, text: string): Promise<readonly string[]> {
    const mine = Buffer.from(text);
    const counts = await this.gatherSmall(label, Buffer.from(Uint32Array.of(mine.length).buffer));
    const lengths = counts.map((count) => count.readUInt32LE());
    const most = Math.max(1, ...lengths);
    const padded = Buffer.alloc(most);
    mine.copy(padded);
    const texts = await this.gatherSmall(label, padded);
    return texts.map((bytes, rank) => bytes.subarray(0, lengths[rank]).toString());
  }

  async deliver(label: string, data: Uint8Array, from: number, to: readonly number[]): Promise<void> {
    const receivers = to.filter((taker) => taker !== from);
    const tag = this.post.tag(
      label,
      this.index === from ? receivers : receivers.includes(this.index) ? [from] : [],
    );
    for (let at = 0; at < data.length; at += MOST_VIEWED) {
      const piece = data.subarray(at, at + MOST_VIEWED);
      const [room] = this.post.staging.rooms([piece.length]);
      const batch = this.post.mpi.batch();
      const sends = this.index === from;
      const receives = receivers.includes(this.index);
      if (sends) {
        room.view(piece.length).set(piece);
        for (const taker of receivers) this.post.mpi.send(batch, room.address, piece.length, taker, tag);
      }
      if (receives) this.post.mpi.receive(batch, room.address, piece.length, from, tag);
      await this.post.done(label, batch, sends ? receivers : [from]);
      if (receives) piece.set(room.view(piece.length));
    }
  }

  /** Bytes of all processes; as many from each. */
  private async gatherSmall(label: string, mine: Buffer): Promise<Buffer[]> {
    const bytes = mine.length;
    const [own, all] = this.post.staging.rooms([bytes, bytes * this.ranks.length]);
    own.view(bytes).set(mine);
    this.post.tag(label);
    const batch = this.post.mpi.batch();
    this.post.mpi.allGather(batch, own.address, all.address, bytes);
    await this.post.done(label, batch, this.post.others());
    const together = Buffer.from(all.view(bytes * this.ranks.length));
    return Array.from({ length: this.ranks.length }, (_, rank) =>
      together.subarray(rank * bytes, (rank + 1) * bytes),
    );
  }

  abort(code: number): never {
    return this.post.mpi.abort(code);
  }

  /** Waits for the others and leaves them. */
  async leave(): Promise<void> {
    await this.post.barrier('end');
    this.post.mpi.finish();
  }
}
