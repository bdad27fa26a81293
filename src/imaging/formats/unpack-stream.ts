import type { Packing, Unpacker } from './scan-files.ts';

/** Formats of the streams that unpack, by the names of the standard. */
type StreamFormat = 'gzip' | 'deflate' | 'deflate-raw';

/** `zlib` takes gzip, too, which its first two bytes tell. */
function formatOf(packing: Packing, [first, second]: Uint8Array): StreamFormat {
  if (packing === 'gzip') return 'gzip';
  if (packing === 'deflate') return 'deflate-raw';
  return first === 0x1f && second === 0x8b ? 'gzip' : 'deflate';
}

/** What streams of browsers say of damaged bytes, with the code that zlib has for it. */
function withCode(error: unknown): unknown {
  if (!(error instanceof TypeError) || 'code' in error) return error;
  const code = /truncated|unexpected end|incomplete/i.test(error.message) ? 'Z_BUF_ERROR' : 'Z_DATA_ERROR';
  return Object.assign(new Error(error.message, { cause: error }), { code });
}

/**
 * Unpacks what `read` gives by a DecompressionStream, which browsers and Node.js have; pieces have up to `pieceBytes` bytes. What fails in
 * `read` is thrown as it is. Unlike zlib it refuses files of several packed parts behind each other.
 */
export function unpackByStream(
  packing: Packing,
  pieceBytes: number,
  read: () => Promise<Uint8Array | undefined>,
): Unpacker {
  let closed = false;
  let failure: { readonly error: unknown } | undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let rest: Uint8Array = new Uint8Array(0);

  /** The next packed bytes; what fails here is told apart from what fails in unpacking. */
  const readNext = async (): Promise<Uint8Array | undefined> => {
    try {
      for (;;) {
        const piece = await read();
        if (piece === undefined || piece.length > 0) return piece;
      }
    } catch (error) {
      failure = { error };
      throw error;
    }
  };

  const begin = async (): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
    let first = await readNext();
    const stream = new DecompressionStream(formatOf(packing, first ?? new Uint8Array(0)));
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        const piece = first ?? (closed ? undefined : await readNext());
        first = undefined;
        if (piece === undefined) controller.close();
        // Streams take no memory that is shared, and nobody reads into such.
        else controller.enqueue(piece as Uint8Array<ArrayBuffer>);
      },
    });
    return source.pipeThrough(stream).getReader();
  };

  return {
    async next() {
      try {
        if (closed) return undefined;
        reader ??= await begin();
        while (rest.length === 0) {
          const { done, value } = await reader.read();
          if (done || closed) return undefined;
          rest = value;
        }
        const piece = rest.subarray(0, pieceBytes);
        rest = rest.subarray(piece.length);
        return piece;
      } catch (error) {
        if (closed) return undefined;
        throw failure === undefined ? withCode(error) : failure.error;
      }
    },
    close() {
      closed = true;
      // Ends both streams; a failure of what nobody waits for is no one's.
      reader?.cancel().catch(() => undefined);
    },
  };
}
