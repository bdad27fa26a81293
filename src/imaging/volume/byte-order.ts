/** Whether numbers in memory begin with their lowest byte. */
export const hostIsLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Turns the byte order of elements of `size` bytes, in place; a part of an element at the end stays as it is. */
export function swapBytes(bytes: Uint8Array, size: number): void {
  const half = size >> 1;
  for (let at = 0; at + size <= bytes.length; at += size) {
    for (let low = at, high = at + size - 1; low < at + half; low++, high--) {
      const byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
  }
}
