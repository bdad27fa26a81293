import { boxVolume } from '../core/index.ts';
import { type Target, transferBytes } from '../plan/index.ts';
import { HOST_ARRAYS, launchOf, passedMark } from './at-once.ts';
import type { Device, Tensor } from './device.ts';
import { PLAIN_TARGET } from './host.ts';

/**
 * Plans and counts, computes nothing: reads give zeros. With the storage and fusion rules of `like` it stands for that device
 * where its hardware, or the memory, is not there.
 */
export function nullDevice(like?: Target): Device {
  return {
    target: { ...(like ?? PLAIN_TARGET), name: 'null' },
    allocate: (bytes, room = bytes) => ({ bytes: Math.max(bytes, room) }),
    free: () => undefined,
    openSpill: (_folder, bytes) => ({
      bytes,
      write: () => 0,
      read: () => 0,
      settled: () => true,
      close: () => undefined,
    }),
    tensor: (_memory, _offset, type, box): Tensor => ({ shape: type.shape, dtype: type.dtype, box }),
    upload: () => undefined,
    download: async ({ dtype }, box) => new HOST_ARRAYS[dtype](boxVolume(box)),
    copy: () => NOTHING,
    combine: () => NOTHING,
    prepare: async () => NOTHING,
    mark: passedMark,
    done: async () => undefined,
    transport: {
      bytes: transferBytes,
      outgoing: () => ({ pack: passedMark }),
      incoming: () => ({ unpack: passedMark }),
    },
    held: 0,
    close: () => undefined,
  };
}

const NOTHING = launchOf(() => undefined);
