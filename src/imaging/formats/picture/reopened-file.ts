import { readError } from '../byte-reader.ts';
import type { ScanFiles } from '../scan-files.ts';

/** A file that is opened for each reading alone, so that nobody needs to close what reads it for as long as it likes. */
export interface ReopenedFile {
  readonly size: number;
  /** The bytes from `at` on, at most `n`; fewer where the file ends. Throws ImagingError where it cannot be read. */
  read(at: number, n: number): Promise<Uint8Array>;
}

/** Looks at a file, which must be there. */
export async function reopenedFile(files: ScanFiles, file: string): Promise<ReopenedFile> {
  const source = await files.open(file);
  const { size } = source;
  await source.close();
  return {
    size,
    async read(at, n) {
      const opened = await files.open(file);
      try {
        return await opened.read(at, n);
      } catch (error) {
        throw readError(file, error);
      } finally {
        await opened.close();
      }
    },
  };
}
