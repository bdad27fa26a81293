import { openFile } from './open-file.ts';

/** A file whose bytes are read from any place. */
export interface ByteFile {
  readonly size: number;
  /** The bytes from `at` on, at most `n`; fewer where the file ends. Throws the system's error. */
  read(at: number, n: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a file for reading. Throws the system's error. */
export async function openByteFile(file: string): Promise<ByteFile> {
  const handle = await openFile(file);
  try {
    const { size } = await handle.stat();
    return {
      size,
      async read(at, n) {
        const bytes = new Uint8Array(n);
        const { bytesRead } = await handle.read(bytes, 0, n, at);
        return bytes.subarray(0, bytesRead);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
