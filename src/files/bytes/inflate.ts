import type { Transform } from 'node:stream';
import { createGunzip, createInflateRaw, createUnzip } from 'node:zlib';

const streams = { gzip: createGunzip, zlib: createUnzip, deflate: createInflateRaw } as const;

/**
 * Unpacks what `read` gives until it gives undefined, in pieces of up to `pieceBytes` bytes; `zlib` takes gzip or zlib, `deflate` a
 * stream without header or check sum.
 */
export const inflate = (
  packing: keyof typeof streams,
  pieceBytes: number,
  read: () => Promise<Uint8Array | undefined>,
): Unpacker => new Unpacker(streams[packing]({ chunkSize: pieceBytes }), read);

/**
 * Pulls the output of a stream of zlib, which is fed from `read` as far as that takes. Its errors are told by `next`, and nobody
 * else hears of them: a stream that nobody asks, or that was closed, fails in silence.
 */
class Unpacker {
  readonly #stream: Transform;
  readonly #read: () => Promise<Uint8Array | undefined>;
  #fed = false;
  #ended = false;
  #failure: unknown;
  /** Ends the wait of `next` and of the feeding. */
  #wake: (() => void) | undefined;
  #drained: (() => void) | undefined;

  /** `read` gives packed bytes, and undefined at their end. */
  constructor(stream: Transform, read: () => Promise<Uint8Array | undefined>) {
    this.#stream = stream;
    this.#read = read;
    const wake = () => this.#wake?.();
    stream.on('error', (error) => this.#fail(error));
    stream.on('readable', wake);
    stream.on('end', () => {
      this.#ended = true;
      wake();
    });
    stream.on('drain', () => this.#drained?.());
    stream.on('close', () => {
      wake();
      this.#drained?.();
    });
  }

  /** The next piece, or undefined at the end. Throws what zlib or `read` throws. Not to be called before the last call has ended. */
  async next(): Promise<Uint8Array | undefined> {
    if (!this.#fed) {
      this.#fed = true;
      void this.#feed();
    }
    for (;;) {
      const piece = this.#stream.read() as Uint8Array | null;
      if (piece !== null) return piece;
      if (this.#ended) return undefined;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#stream.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends the work. Safe at any time. */
  close(): void {
    this.#stream.destroy();
  }

  async #feed(): Promise<void> {
    try {
      while (!this.#stream.destroyed) {
        const piece = await this.#read();
        if (this.#stream.destroyed) return;
        if (piece === undefined) {
          this.#stream.end();
          return;
        }
        if (this.#stream.write(piece)) continue;
        await new Promise<void>((resolve) => {
          this.#drained = resolve;
        });
      }
    } catch (error) {
      this.#fail(error);
      this.#stream.destroy();
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake?.();
    this.#drained?.();
  }
}
