import { fail } from '../../core/index.ts';
import { type FarRooms, HANDLE_BYTES, type HostRoom, type HostRooms, type Mark } from '../device.ts';
import type { CudaApi } from './cuda-api.ts';

/** A room that the host does not look into. */
export const farRoom = (address: number, bytes: number): HostRoom => ({
  address,
  bytes,
  view: () => fail({ where: 'device cuda', problem: 'the host does not see memory of the GPU' }),
});

/** What copies of messages need of a driver. */
export interface FarParts {
  readonly api: CudaApi;
  /** Of copies alone. */
  readonly stream: number;
  /** Memory of the GPU. */
  allocate(bytes: number): number;
  free(at: number): void;
  readonly staged: HostRooms;
  /** A mark of a stream. */
  mark(stream: number): Mark;
}

/** Messages in memory of a GPU: copied on a stream of their own, opened by other processes through CUDA IPC. */
export function realFar({ api, stream, allocate, free, staged, mark }: FarParts): FarRooms {
  return {
    ofHost: false,
    staged,
    room: (bytes) => farRoom(allocate(bytes), bytes),
    free({ address }) {
      api.call('cuStreamSynchronize', stream);
      free(address);
    },
    copy(to, from, bytes) {
      if (bytes > 0) api.call('cuMemcpy', to, from, bytes, stream);
      return mark(stream);
    },
    handle({ address }) {
      const handle = new Uint8Array(HANDLE_BYTES);
      api.call('cuIpcGetMemHandle', handle, address);
      return handle;
    },
    open: (handle) => api.openMemory(handle),
    shut(address) {
      api.call('cuStreamSynchronize', stream);
      api.call('cuIpcCloseMemHandle', address);
    },
  };
}
