import { fail } from '../../core/index.ts';
import { type FarRooms, HANDLE_BYTES, type HostRooms, type Mark } from '../device.ts';
import { farRoom } from './far.ts';

// Messages of the emulated device lie in shared memory without a name, which other processes open through the one that has it.

/** What the emulator does for messages. */
export interface SharedMemory {
  /** Shared memory, whose file descriptor is left in `file`; 0 where there is none. */
  share(bytes: number, file: Int32Array): number;
  unshare(at: number, bytes: number, file: number): void;
  /** The memory of a file descriptor of another process; 0 where it cannot be opened. */
  open(process: number, file: number, bytes: number): number;
  shut(at: number, bytes: number): void;
  move(to: number, from: number, bytes: number): void;
}

/** Looks at a copy before it is done: what reads or writes its memory too early finds other numbers. */
const LATE = 2;

export function emulatedFar(memory: SharedMemory, staged: HostRooms): FarRooms {
  const files = new Map<number, number>();
  const opened = new Map<number, number>();
  /** Copies that are not done yet, in their order. */
  const waiting: { readonly run: () => void; looks: number }[] = [];
  const settle = (most: number): void => {
    while (waiting.length > 0 && most-- > 0) waiting.shift()!.run();
  };
  return {
    ofHost: true,
    staged,
    room(bytes) {
      const file = new Int32Array(1);
      const address = memory.share(Math.max(bytes, 1), file);
      if (address === 0)
        fail({ where: 'device cuda', problem: `cannot allocate ${bytes} bytes of shared memory` });
      files.set(address, file[0]);
      return farRoom(address, bytes);
    },
    free({ address, bytes }) {
      settle(Infinity);
      memory.unshare(address, Math.max(bytes, 1), files.get(address)!);
      files.delete(address);
    },
    copy(to, from, bytes): Mark {
      const one = { run: () => memory.move(to, from, bytes), looks: 0 };
      waiting.push(one);
      const passed = (): boolean => {
        const place = waiting.indexOf(one);
        if (place < 0) return true;
        if (++one.looks >= LATE) settle(place + 1);
        return one.looks >= LATE;
      };
      return {
        passed,
        wait: async () => settle(waiting.indexOf(one) + 1),
        milliseconds: () => 0,
      };
    },
    handle({ address, bytes }) {
      const handle = new Uint8Array(HANDLE_BYTES);
      new TextEncoder().encodeInto([process.pid, files.get(address), bytes].join(' '), handle);
      return handle;
    },
    open(handle) {
      const text = new TextDecoder().decode(handle).replace(/\0.*$/s, '');
      const [owner, file, bytes] = text.split(' ').map(Number);
      const address = memory.open(owner, file, Math.max(bytes, 1));
      if (address === 0)
        fail({ where: 'device cuda', problem: `cannot open the memory of process ${owner}: ${text}` });
      opened.set(address, bytes);
      return address;
    },
    shut(address) {
      settle(Infinity);
      memory.shut(address, Math.max(opened.get(address)!, 1));
      opened.delete(address);
    },
  };
}
