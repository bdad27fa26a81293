import { endianness } from 'node:os';
import { Readable } from 'node:stream';
import {
  type ChannelFile,
  diskFiles,
  elementBytes,
  encodeHeader,
  openScan,
  readOpenSlabs,
  type ScanFolders,
  type ScanHeader,
  type ScanReadOptions,
  voxelCount,
  type WritableType,
} from '../imaging/index.ts';

/** Bytes that wait to be taken before no more of a scan is read. */
const WAITING = 2 ** 25;

/** A channel of a scan on its way to a page. */
export interface ScanStream {
  /** Bytes of the NIfTI file. */
  readonly size: number;
  /** The file, a few slices at a time; fails with the ImagingError of a scan whose damage shows on the way. To be called once. */
  read(): Readable;
  close(): Promise<void>;
}

export interface StreamedScan extends ChannelFile {
  /** SeriesInstanceUID, of a DICOM folder with several series. */
  readonly series?: string;
}

/**
 * Opens a channel of a scan of any format as a NIfTI-1 file of one volume in this machine's byte order, with the geometry that training and
 * prediction see: voxels of 8 or 16 bits as they are, all others as float32, scaled. What is not taken is not read, so that it holds a few
 * slices; of a store it may hold all. `checked` gives the real path of a file, or throws for one that may not be opened. Throws
 * ImagingError where the scan cannot be used.
 */
export async function streamScan(
  { file, series, volume, volumes }: StreamedScan,
  checked: (file: string) => Promise<string>,
): Promise<ScanStream> {
  const gate = new Gate();
  const options: ScanReadOptions = {
    ...{ series, nonFinite: 'keep' },
    ...(volume !== undefined && { volume, volumes }),
  };
  const scan = await openScan(
    await checked(file),
    options,
    checkedFiles(checked, () => gate.passed()),
  );
  const { header } = scan;
  const { type, as } = sentAs(header);
  const head = encodeHeader(header, type, endianness() === 'LE', file);
  return {
    size: head.length + voxelCount(header.shape) * elementBytes(type),
    read() {
      const stream = new Readable({
        highWaterMark: WAITING,
        read: () => gate.open(),
        destroy(error, done) {
          gate.leave();
          done(error);
        },
      });
      stream.push(head);
      readOpenSlabs(scan, { ...options, as }, () => ({
        take({ buffer, byteOffset, byteLength }) {
          // The slab is used again.
          const bytes = Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));
          if (!stream.destroyed && !stream.push(bytes)) gate.close();
        },
        end: () => void stream.push(null),
      })).catch((error: Error) => stream.destroy(error));
      return stream;
    },
    close: () => scan.close(),
  };
}

/** What a page is sent for the values of a file. */
function sentAs({ type, slope, intercept }: ScanHeader): { type: WritableType; as?: 'float32' } {
  const plain = slope === 1 && intercept === 0;
  return plain && (type === 'uint8' || type === 'int16' || type === 'uint16')
    ? { type }
    : { type: 'float32', as: 'float32' };
}

/** The disk's files, where they may be opened; pieces are read when `ready` says so. */
export function checkedFiles(
  checked: (file: string) => Promise<string>,
  ready: () => Promise<void> = () => Promise.resolve(),
): ScanFolders {
  return {
    ...diskFiles,
    async open(file) {
      const source = await diskFiles.open(await checked(file));
      return {
        size: source.size,
        async read(at, n) {
          await ready();
          return source.read(at, n);
        },
        close: () => source.close(),
      };
    },
  };
}

/** Lets readers wait for whoever takes what they read. */
class Gate {
  private opened: Promise<void> = Promise.resolve();
  private release: () => void = () => {};
  private left = false;

  close(): void {
    this.release();
    this.opened = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  open(): void {
    this.release();
  }

  /** Nobody takes anything any more. */
  leave(): void {
    this.left = true;
    this.release();
  }

  async passed(): Promise<void> {
    await this.opened;
    if (this.left) throw new Error('nobody reads this scan any more');
  }
}
