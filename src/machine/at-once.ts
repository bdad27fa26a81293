import type { Launch, Mark } from './device.ts';

// What devices share that do at once what they are asked for: their queue is always empty.

/** A mark of such a device: passed when it is made. */
export function passedMark(): Mark {
  const at = performance.now();
  const mark: Mark & { readonly at: number } = {
    at,
    passed: () => true,
    wait: async () => undefined,
    milliseconds: (since) => at - (since as typeof mark).at,
  };
  return mark;
}

/** Work of such a device. */
export const launchOf = (run: () => void): Launch => ({ run });

/** In what the numbers of each element type are handed out. */
export const HOST_ARRAYS = {
  f32: Float32Array,
  bf16: Float32Array,
  f64: Float64Array,
  u8: Uint8Array,
  i32: Int32Array,
} as const;
