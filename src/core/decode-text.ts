/**
 * A text in UTF-8, or in UTF-16 where a byte order mark says so; the mark is no part of it. Throws SyntaxError for UTF-16 of an
 * odd number of bytes. Bytes that are no UTF-8 become U+FFFD, as halves of characters of UTF-16 do.
 */
export function decodeText(bytes: Uint8Array): string {
  const big = bytes[0] === 0xfe && bytes[1] === 0xff;
  if (!big && !(bytes[0] === 0xff && bytes[1] === 0xfe)) return new TextDecoder('utf-8').decode(bytes);
  if (bytes.length % 2 === 1) throw new SyntaxError(`UTF-16 text of ${bytes.length} bytes: an odd number`);
  const little = big ? Uint8Array.from(bytes, (_, n) => bytes[n ^ 1]) : bytes;
  return new TextDecoder('utf-16le').decode(little);
}
