/** How elements are stored on a device. Arithmetic is float32 (float64 for statistics) whatever the storage. */
export type DType = 'f32' | 'bf16' | 'f64' | 'u8' | 'i32';

/** Bytes of one element. */
export const BYTES: Readonly<Record<DType, number>> = { f32: 4, bf16: 2, f64: 8, u8: 1, i32: 4 };

const RANK: Readonly<Record<DType, number>> = { u8: 0, i32: 1, bf16: 2, f32: 3, f64: 4 };

/** The type that holds both. */
export function promote(a: DType, b: DType): DType {
  return RANK[a] >= RANK[b] ? a : b;
}
