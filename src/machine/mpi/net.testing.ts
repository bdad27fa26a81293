import koffi from 'koffi';
import { cpuDevice } from '../cpu/index.ts';
import type { Batch, MpiLibrary } from './library.ts';

// MPI among ranks of one process. Numbers are taken from the sender's memory when the receiver takes the message, as late as MPI
// may, and a batch is done when all its messages are: memory that is written again too early shows.

interface Sending {
  readonly from: number;
  readonly bytes: number;
  taken: boolean;
}

interface Receiving {
  readonly key: string;
  readonly to: number;
  readonly bytes: number;
}

const copyBytes = koffi.load(null).func('memcpy', 'uint64_t', ['uint64_t', 'uint64_t', 'uint64_t']);

/** The MPI of each rank, and messages that each has received so far. */
export function netOf(size: number): { readonly ranks: readonly MpiLibrary[]; readonly received: number[] } {
  const { rooms } = cpuDevice({ threads: 1 }).transport;
  const received = new Array<number>(size).fill(0);
  const sent = new Map<string, Sending[]>();
  const absent = (): never => {
    throw new Error('not part of this net');
  };
  const rankOf = (rank: number): MpiLibrary => {
    const batches = new Map<number, { readonly sends: Sending[]; receives: Receiving[] }>();
    let next = 0;
    return {
      rank,
      size,
      takesGpuMemory: false,
      allocate: (bytes) => rooms!.room(bytes).address,
      free: (address, bytes) => rooms!.free({ address, bytes, view: absent }),
      enter: () => undefined,
      near: () => undefined,
      view: (address, bytes) => new Uint8Array(koffi.view(BigInt(address), bytes) as ArrayBuffer),
      batch() {
        batches.set(++next, { sends: [], receives: [] });
        return next as Batch;
      },
      send(batch, from, bytes, to, tag) {
        const sending = { from, bytes, taken: false };
        const key = `${rank} ${to} ${tag}`;
        sent.set(key, [...(sent.get(key) ?? []), sending]);
        batches.get(batch)!.sends.push(sending);
      },
      receive(batch, to, bytes, from, tag) {
        batches.get(batch)!.receives.push({ key: `${from} ${rank} ${tag}`, to, bytes });
      },
      test(batch) {
        const mine = batches.get(batch)!;
        mine.receives = mine.receives.filter(({ key, to, bytes }) => {
          const message = sent.get(key)?.shift();
          if (message === undefined) return true;
          if (message.bytes !== bytes)
            throw new Error(`${key}: ${bytes} bytes were expected and ${message.bytes} came`);
          copyBytes(to, message.from, bytes);
          message.taken = true;
          received[rank]++;
          return false;
        });
        return mine.receives.length === 0 && mine.sends.every(({ taken }) => taken);
      },
      barrier: absent,
      allGather: absent,
      poll: 0,
      abort: absent,
      finish: absent,
    };
  };
  return { ranks: Array.from({ length: size }, (_, rank) => rankOf(rank)), received };
}
