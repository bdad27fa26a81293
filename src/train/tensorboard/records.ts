// Records of a TensorFlow event file: length (u64), its check sum, the bytes, their check sum; all little-endian. A check sum
// is a CRC-32C (Castagnoli), turned by 15 bits and moved by a constant, so that one of bytes that hold check sums is sound.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C of bytes (RFC 3720). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255];
  return (crc ^ 0xffffffff) >>> 0;
}

function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Bytes as one record. */
export function record(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(bytes.length + 16);
  out.writeBigUInt64LE(BigInt(bytes.length), 0);
  out.writeUInt32LE(maskedCrc(out.subarray(0, 8)), 8);
  out.set(bytes, 12);
  out.writeUInt32LE(maskedCrc(bytes), bytes.length + 12);
  return out;
}
