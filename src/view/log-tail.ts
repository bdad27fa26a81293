import { stat } from 'node:fs/promises';
import { openFile, systemErrorCode } from '../files/index.ts';

/** Bytes of a log that are read at once. */
const PIECE = 2 ** 20;

/**
 * Follows a log that a training writes: gives its whole lines as they come, from the first one on. Where the file is another one
 * than before, or shorter, as after a resumption, `again` is called and its lines come from the first one on. What was read is
 * not kept.
 */
export class LogTail {
  private readonly file: string;
  private at = 0;
  private identity = '';
  /** Bytes of a line whose end was not there yet. */
  private rest: Buffer = Buffer.alloc(0);

  constructor(file: string) {
    this.file = file;
  }

  /** Hands over what has come since the last call. A log that is not there yet has no lines. */
  async read(take: (lines: readonly string[]) => Promise<void>, again: () => void): Promise<void> {
    const found = await stat(this.file).catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (found === undefined) return;
    const identity = `${found.dev} ${found.ino}`;
    if (identity !== this.identity || found.size < this.at) {
      if (this.identity !== '') again();
      this.identity = identity;
      this.at = 0;
      this.rest = Buffer.alloc(0);
    }
    if (found.size === this.at) return;
    const handle = await openFile(this.file);
    try {
      while (this.at < found.size) {
        const piece = Buffer.alloc(Math.min(PIECE, found.size - this.at));
        const { bytesRead } = await handle.read(piece, 0, piece.length, this.at);
        if (bytesRead === 0) break;
        this.at += bytesRead;
        const bytes = Buffer.concat([this.rest, piece.subarray(0, bytesRead)]);
        const end = bytes.lastIndexOf(10) + 1;
        this.rest = bytes.subarray(end);
        if (end > 0) await take(bytes.toString('utf8', 0, end - 1).split('\n'));
      }
    } finally {
      await handle.close();
    }
  }
}
