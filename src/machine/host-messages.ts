import { type Box, BYTES, boxVolume, type DType } from '../core/index.ts';
import { transferBytes } from '../plan/index.ts';
import type { HostArray, HostRoom, Mark, Tensor, Transport } from './device.ts';

// Messages: plain row-major numbers, each in the bytes of its own element type.

/** Numbers of a box as a message. */
export function messageOf(dtype: DType, data: HostArray): Uint8Array {
  if (dtype === 'bf16') {
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
    const halves = Uint16Array.from(bits, (u) => u >>> 16);
    return new Uint8Array(halves.buffer);
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** And back. */
export const numbersOfMessage = (dtype: DType, bytes: Uint8Array): HostArray =>
  numbersIn(dtype, bytes.slice().buffer);

/** The numbers of a whole buffer, which nobody else may hold. */
export function numbersIn(dtype: DType, buffer: ArrayBuffer): HostArray {
  switch (dtype) {
    case 'bf16':
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (u) => u << 16).buffer);
    case 'f32':
      return new Float32Array(buffer);
    case 'f64':
      return new Float64Array(buffer);
    case 'u8':
      return new Uint8Array(buffer);
    case 'i32':
      return new Int32Array(buffer);
    default:
      return dtype satisfies never;
  }
}

/** Boxes of tensors as messages, by way of the host. */
export function hostTransport(device: {
  read(tensor: Tensor, box: Box): Promise<HostArray>;
  write(tensor: Tensor, box: Box, data: HostArray): void;
  mark(): Mark;
}): Transport {
  return {
    bytes: transferBytes,
    outgoing: (tensor, box, room) => ({
      pack() {
        const queued = device.mark();
        let packed = false;
        const packing = device.read(tensor, box).then((data) => {
          const message = messageOf(tensor.dtype, data);
          room.view(message.byteLength).set(message);
          packed = true;
        });
        // Raised where one waits.
        packing.catch(() => undefined);
        return {
          ...queued,
          passed: () => packed,
          wait: async () => {
            await packing;
            await queued.wait();
          },
        };
      },
    }),
    incoming: (tensor, box, room: HostRoom) => ({
      unpack() {
        const bytes = BYTES[tensor.dtype] * boxVolume(box);
        device.write(tensor, box, numbersOfMessage(tensor.dtype, room.view(bytes)));
        return device.mark();
      },
    }),
  };
}
