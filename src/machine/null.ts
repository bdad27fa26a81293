import { boxVolume } from '../core/index.ts';
import { NO_FUSION, type Target, transferBytes } from '../plan/index.ts';
import { launchOf, passedMark } from './at-once.ts';
import type { Device, Tensor } from './device.ts';
import { plainFormat } from './formats/index.ts';

/**
 * Plans and counts, computes nothing: reads give zeros. With the storage and fusion rules of `like` it stands for that device
 * where its hardware, or the memory, is not there.
 */
export function nullDevice(like?: Target): Device {
  return {
    name: 'null',
    fusion: like?.fusion ?? NO_FUSION,
    refuses: like?.refuses ?? (() => undefined),
    formats: like?.formats ?? (() => plainFormat),
    plain: like?.plain ?? plainFormat,
    spaces: like?.spaces ?? { tensors: { name: 'memory', align: () => 64 } },
    allocate: (bytes, room = bytes) => ({ bytes: Math.max(bytes, room) }),
    free: () => undefined,
    openStore: (_folder, bytes) => ({
      bytes,
      write: () => 0,
      read: () => 0,
      settled: () => true,
      close: () => undefined,
    }),
    tensor: (_memory, _offset, type, box): Tensor => ({ shape: type.shape, dtype: type.dtype, box }),
    upload: () => undefined,
    download: async ({ dtype }, box) => new HOST[dtype](boxVolume(box)),
    copy: () => NOTHING,
    combine: () => NOTHING,
    prepare: () => NOTHING,
    ready: async () => undefined,
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

/** In what the numbers of each element type are handed out. */
const HOST = { f32: Float32Array, bf16: Float32Array, f64: Float64Array, u8: Uint8Array, i32: Int32Array };
