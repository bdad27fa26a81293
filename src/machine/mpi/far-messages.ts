import { fail } from '../../core/index.ts';
import { type FarRooms, HANDLE_BYTES, type HostRoom, type HostRooms, type Mark } from '../device.ts';
import type { Batch, Messages, MpiLibrary } from './library.ts';
import { TAGS } from './tags.ts';
import type { Way } from './ways.ts';

// Messages whose numbers lie in memory of a device. Those of the host among them go by MPI as they are.

/** What tells where a message lies: the handle of its room, the number of the room, the place in it, and its bytes. */
const LETTER = HANDLE_BYTES + 3 * 8;
/** Looks at all messages, none of which gets further, before the thread naps. */
const EAGER = 200;

/** A message under way, told what to do next. */
interface Moving {
  /** True when it is done. `wait`: milliseconds that it may nap in. */
  advance(wait: number): boolean;
}

/** A room that others may have opened. */
interface Own {
  readonly room: HostRoom;
  readonly number: number;
  handle?: Uint8Array;
}

export interface FarParts {
  readonly mpi: MpiLibrary;
  readonly far: FarRooms;
  /** By rank. */
  readonly ways: readonly Way[];
  /** Memory of the host for messages that tell where others lie. */
  readonly host: HostRooms;
  readonly pieceBytes: number;
}

/** Rooms that this process has made. */
let rooms = 0;

export class FarMessages implements Messages {
  /** Memory of the device for messages. */
  readonly rooms: HostRooms;
  private readonly mpi: MpiLibrary;
  private readonly far: FarRooms;
  private readonly ways: readonly Way[];
  private readonly own: Own[] = [];
  /** Rooms of others by process and number, with their addresses here. */
  private readonly opened = new Map<string, number>();
  private readonly host: Pool;
  private readonly letters: Pool;
  private readonly batches = new Map<Batch, Moving[]>();
  /** Pieces that are not sent yet, in the order in which they are copied and the receiver awaits them. */
  private readonly leaving: HostRoom[] = [];
  private readonly piece: number;
  private next = 0;
  private fruitless = 0;

  constructor({ mpi, far, ways, host, pieceBytes }: FarParts) {
    this.mpi = mpi;
    this.far = far;
    this.ways = ways;
    this.piece = pieceBytes;
    this.host = new Pool(far.staged, pieceBytes);
    this.letters = new Pool(host, LETTER);
    this.rooms = {
      room: (bytes) => {
        const room = far.room(bytes);
        this.own.push({ room, number: ++rooms });
        return room;
      },
      free: (room) => {
        const place = this.own.findIndex((one) => one.room.address === room.address);
        this.own.splice(place, 1);
        far.free(room);
      },
    };
  }

  batch(): Batch {
    const batch = ++this.next as Batch;
    this.batches.set(batch, []);
    return batch;
  }

  send(batch: Batch, from: number, bytes: number, to: number, tag: number): void {
    if (bytes === 0) return;
    const own = this.ownAt(from);
    const way = own === undefined ? 'mpi' : this.ways[to];
    if (way === 'mpi') this.add(batch, this.plain('send', from, bytes, to, tag));
    else if (way === 'ipc') this.add(batch, this.offered(own!, from, bytes, to, tag));
    else
      for (let at = 0; at < bytes; at += this.piece)
        this.add(batch, this.sentPiece(from + at, Math.min(this.piece, bytes - at), to, tag + TAGS));
  }

  receive(batch: Batch, to: number, bytes: number, from: number, tag: number): void {
    if (bytes === 0) return;
    const way = this.ownAt(to) === undefined ? 'mpi' : this.ways[from];
    if (way === 'mpi') this.add(batch, this.plain('receive', to, bytes, from, tag));
    else if (way === 'ipc') this.add(batch, this.fetched(to, bytes, from, tag));
    else
      for (let at = 0; at < bytes; at += this.piece)
        this.add(batch, this.receivedPiece(to + at, Math.min(this.piece, bytes - at), from, tag + TAGS));
  }

  test(batch: Batch, milliseconds: number): boolean {
    let further = 0;
    for (const [one, moving] of this.batches) {
      const left = moving.filter((message) => !message.advance(0));
      further += moving.length - left.length;
      this.batches.set(one, left);
    }
    const left = this.batches.get(batch) ?? fail({ where: 'mpi', problem: 'no such batch' });
    if (left.length === 0) {
      this.batches.delete(batch);
      return true;
    }
    this.fruitless = further > 0 ? 0 : this.fruitless + 1;
    // What waits for another process is known to wait by this.
    if (milliseconds > 0 && this.fruitless > EAGER && left[0].advance(1)) left.shift();
    return false;
  }

  /** Gives back what it holds; its own rooms are freed before. */
  close(): void {
    for (const address of this.opened.values()) this.far.shut(address);
    this.opened.clear();
    this.host.free();
    this.letters.free();
  }

  private add(batch: Batch, message: Moving): void {
    this.batches.get(batch)!.push(message);
  }

  private ownAt(address: number): Own | undefined {
    return this.own.find(
      ({ room }) => address >= room.address && address < room.address + Math.max(room.bytes, 1),
    );
  }

  /** By MPI, from where it lies. */
  private plain(how: 'send' | 'receive', at: number, bytes: number, peer: number, tag: number): Moving {
    return { advance: this.posted(how, at, bytes, peer, tag) };
  }

  /** A message of MPI that was posted; says whether it is done. */
  private posted(how: 'send' | 'receive', at: number, bytes: number, peer: number, tag: number) {
    const batch = this.mpi.batch();
    this.mpi[how](batch, at, bytes, peer, tag);
    return (wait: number): boolean => this.mpi.test(batch, wait);
  }

  private sentPiece(from: number, bytes: number, to: number, tag: number): Moving {
    const room = this.host.take();
    const copied = this.far.copy(room.address, from, bytes);
    this.leaving.push(room);
    let sent: ((wait: number) => boolean) | undefined;
    return {
      advance: (wait) => {
        if (sent === undefined) {
          if (this.leaving[0] !== room || !copied.passed()) return false;
          this.leaving.shift();
          sent = this.posted('send', room.address, bytes, to, tag);
        }
        if (!sent(wait)) return false;
        this.host.give(room);
        return true;
      },
    };
  }

  private receivedPiece(to: number, bytes: number, from: number, tag: number): Moving {
    const room = this.host.take();
    const came = this.posted('receive', room.address, bytes, from, tag);
    let copied: Mark | undefined;
    return {
      advance: (wait) => {
        if (copied === undefined) {
          if (!came(wait)) return false;
          copied = this.far.copy(to, room.address, bytes);
        }
        if (!copied.passed()) return false;
        this.host.give(room);
        return true;
      },
    };
  }

  /** Tells the receiver where the message lies, and waits until it has it. */
  private offered(own: Own, from: number, bytes: number, to: number, tag: number): Moving {
    own.handle ??= this.far.handle(own.room);
    const [letter, answer] = [this.letters.take(), this.letters.take()];
    const text = letter.view(LETTER);
    text.set(own.handle);
    new Float64Array(text.buffer, text.byteOffset + HANDLE_BYTES, 3).set([
      own.number,
      from - own.room.address,
      bytes,
    ]);
    const told = this.posted('send', letter.address, LETTER, to, tag + TAGS);
    const taken = this.posted('receive', answer.address, 1, to, tag + 2 * TAGS);
    return allOf([told, taken], () => {
      this.letters.give(letter);
      this.letters.give(answer);
    });
  }

  /** Copies a message from where the sender says, and tells it. */
  private fetched(to: number, bytes: number, from: number, tag: number): Moving {
    const letter = this.letters.take();
    const told = this.posted('receive', letter.address, LETTER, from, tag + TAGS);
    let copied: Mark | undefined;
    let answered: ((wait: number) => boolean) | undefined;
    return {
      advance: (wait) => {
        if (copied === undefined) {
          if (!told(wait)) return false;
          copied = this.copyFrom(letter.view(LETTER), to, bytes, from);
        }
        if (answered === undefined && !copied.passed()) return false;
        answered ??= this.posted('send', letter.address, 1, from, tag + 2 * TAGS);
        if (!answered(wait)) return false;
        this.letters.give(letter);
        return true;
      },
    };
  }

  private copyFrom(letter: Uint8Array, to: number, bytes: number, from: number): Mark {
    const [number, offset, told] = new Float64Array(letter.buffer, letter.byteOffset + HANDLE_BYTES, 3);
    if (told !== bytes)
      fail({
        where: 'mpi',
        problem: `a message of ${bytes} bytes was expected from rank ${from} and one of ${told} bytes came`,
      });
    const key = `${from} ${number}`;
    const address = this.opened.get(key) ?? this.far.open(letter.slice(0, HANDLE_BYTES));
    this.opened.set(key, address);
    return this.far.copy(to, address + offset, bytes);
  }
}

/** All of several messages of MPI. */
function allOf(posted: readonly ((wait: number) => boolean)[], end: () => void): Moving {
  let left = posted;
  return {
    advance(wait) {
      left = left.filter((one) => !one(wait));
      if (left.length > 0) return false;
      end();
      return true;
    },
  };
}

/** Rooms of one size, taken and given back. */
class Pool {
  private readonly source: HostRooms;
  private readonly bytes: number;
  private readonly all: HostRoom[] = [];
  private readonly spare: HostRoom[] = [];

  constructor(source: HostRooms, bytes: number) {
    this.source = source;
    this.bytes = bytes;
  }

  take(): HostRoom {
    const spare = this.spare.pop();
    if (spare !== undefined) return spare;
    const made = this.source.room(this.bytes);
    this.all.push(made);
    return made;
  }

  give(room: HostRoom): void {
    this.spare.push(room);
  }

  free(): void {
    for (const room of this.all.splice(0)) this.source.free(room);
    this.spare.length = 0;
  }
}
