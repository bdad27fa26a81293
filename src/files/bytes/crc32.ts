const POLYNOMIAL = 0xedb88320;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  return value;
});

/** CRC-32 of bytes as zlib takes it, wherever JavaScript runs. */
export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (let n = 0; n < bytes.length; n++) value = (value >>> 8) ^ table[(value ^ bytes[n]) & 0xff];
  return (value ^ 0xffffffff) >>> 0;
}
