import { type FileHandle, open } from 'node:fs/promises';
import type { PartialFile } from '../../../files/index.ts';

/** Packed tiles in the order in which they got whole, in a file that goes when the picture is written. */
export class TileFile {
  private readonly partial: PartialFile;
  private handle: FileHandle | undefined;
  private end = 0;

  constructor(partial: PartialFile) {
    this.partial = partial;
  }

  async open(): Promise<void> {
    try {
      this.handle = await open(this.partial.path, 'r+');
    } catch (error) {
      this.partial.discard();
      throw error;
    }
  }

  /** Gives where the bytes begin. */
  async append(bytes: Uint8Array): Promise<number> {
    const at = this.end;
    this.end += bytes.length;
    await writeAll(this.handle!, bytes, at);
    return at;
  }

  async read(at: number, count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let read = 0; read < count; ) {
      const { bytesRead } = await this.handle!.read(bytes, read, count - read, at + read);
      if (bytesRead === 0) throw new Error('a file of tiles was cut short by another program');
      read += bytesRead;
    }
    return bytes;
  }

  async discard(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    this.partial.discard();
    await handle?.close();
  }
}

/** Writes all bytes, also where the system takes them piece by piece. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}
