import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { beginPartial, type PartialFile, writeProblem } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';
import type { VoxelArray } from '../volume/volume.ts';

/** A volume in the making that takes its slices from k = 0 up; nothing has the final name before finish. */
export interface SliceWriter {
  /**
   * Writes the next slice of height * width voxels. When the promise resolves the array may be used again;
   * the caller may prepare another slice meanwhile. Throws ImagingError for another length or value range.
   */
  writeSlice(voxels: VoxelArray): Promise<void>;
  /** Ends the file and gives it its name. Throws ImagingError if slices are missing. */
  finish(): Promise<void>;
  /** Gives up and removes what was written. Safe after any failure, also twice. */
  abort(): Promise<void>;
}

/** Writes slices that follow each other in an array; `plane`: voxels of one. */
export async function writeSlices(writer: SliceWriter, voxels: VoxelArray, plane: number): Promise<void> {
  for (let at = 0; at < voxels.length; at += plane) await writer.writeSlice(voxels.subarray(at, at + plane));
}

/** Writes all slices of a volume and ends its file; where that fails nothing of it is left. */
export async function writeVolume(writer: SliceWriter, voxels: VoxelArray, plane: number): Promise<void> {
  try {
    await writeSlices(writer, voxels, plane);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** A file in the making. */
export interface ByteWriter {
  /** When the promise resolves the array may be used again. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the file and gives it its name. */
  finish(): Promise<void>;
  /** Gives up and removes what was written. Safe after any failure, also twice. */
  abort(): Promise<void>;
}

/** How a file is written. */
export interface ByteWriterOptions {
  /** Bytes at its start that are not packed. */
  readonly head?: Uint8Array;
  /** What is written is packed by gzip, 1 (fast) to 9 (small); not at all by default. */
  readonly gzipLevel?: number;
}

/**
 * Begins a file, through a temporary one in the same folder. Every failure is an ImagingError that names the file, after which nothing
 * of it is left.
 */
export async function createByteWriter(
  file: string,
  { head, gzipLevel }: ByteWriterOptions = {},
): Promise<ByteWriter> {
  const partial = begin(file);
  const disk = createWriteStream(partial.path, { flags: 'r+', flush: true });
  if (head !== undefined) disk.write(head);
  // Where nothing is compressed, a write is done when its bytes are on the way to the disk, so that they may change.
  const gzip = gzipLevel === undefined ? undefined : createGzip({ level: gzipLevel, chunkSize: 1 << 17 });
  const sink: Writable = gzip ?? disk;
  const piped = gzip ? pipeline(gzip, disk) : finished(disk);
  piped.catch(() => {}); // reported by the call that waits for it
  const abort = async () => {
    sink.destroy();
    await piped.catch(() => {});
    partial.discard();
  };
  const guarded = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      await abort();
      throw writeError(file, error);
    }
  };
  return {
    abort,
    async write(bytes) {
      const accepted = new Promise<void>((resolve, reject) => {
        sink.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
      await guarded(Promise.race([accepted, piped]));
    },
    async finish() {
      sink.end();
      await guarded(piped.then(() => partial.finish()));
    },
  };
}

function begin(file: string): PartialFile {
  try {
    return beginPartial(file);
  } catch (error) {
    throw writeError(file, error);
  }
}

function writeError(file: string, error: unknown): ImagingError {
  if (error instanceof ImagingError) return error;
  return new ImagingError(writeProblem(file, error), { cause: error });
}

/** How hard label maps are packed. Level 6 takes up to five times as long, for files a tenth smaller where labels are in many parts. */
export const LABEL_LEVEL = 4;

/** How slices of a volume become bytes of a file. */
export interface SliceEncoding {
  /** Depth, height, width. */
  readonly shape: readonly [number, number, number];
  /** The bytes of a slice; throws ImagingError where they cannot be written. */
  readonly encode: (voxels: VoxelArray) => Uint8Array;
}

/** Writes slices as bytes that follow each other, and checks that all come. */
export function sliceWriter(
  file: string,
  bytes: ByteWriter,
  { shape: [depth, height, width], encode }: SliceEncoding,
): SliceWriter {
  let slices = 0;
  const refused = async (problem: { field: string; expected: string; found: string }): Promise<never> => {
    await bytes.abort();
    throw new ImagingError({ file, ...problem });
  };
  return {
    abort: () => bytes.abort(),
    async writeSlice(voxels) {
      if (voxels.length !== height * width || slices === depth) {
        const expected = `${depth} slices of ${height * width} voxels`;
        await refused({ field: 'slice', expected, found: `${voxels.length} voxels for slice ${slices}` });
      }
      slices++;
      let encoded: Uint8Array;
      try {
        encoded = encode(voxels);
      } catch (error) {
        await bytes.abort();
        throw error;
      }
      await bytes.write(encoded);
    },
    async finish() {
      if (slices !== depth) await refused({ field: 'slices', expected: `${depth}`, found: `${slices}` });
      await bytes.finish();
    },
  };
}
