// What is known of a picture: an image of rows and columns in one or three channels, of which slides have billions of pixels.

/** Samples of a picture, interleaved: those of a pixel lie together. */
export type PictureSamples = Uint8Array | Uint16Array;

/** A range of pixels, from `row0` and `column0` up to, and without, `row1` and `column1`. */
export interface PictureBox {
  readonly row0: number;
  readonly row1: number;
  readonly column0: number;
  readonly column1: number;
}

/** A picture at one of its sizes, and the tiles that it is stored in, from its first row and column on. */
export interface PictureLevel {
  readonly height: number;
  readonly width: number;
  readonly tileHeight: number;
  readonly tileWidth: number;
}

/** How far pixels lie apart, in microns. */
export interface PixelSize {
  readonly row: number;
  readonly column: number;
}

/** How a picture is read. */
export interface PictureReadOptions {
  /** Whether values are those of a label map: of a palette the indices then, not the colours. */
  readonly labels?: boolean;
  /** Refuse pictures that must be unpacked as a whole and take more than this many bytes then. */
  readonly maxBytes?: number;
}

/** What is known of a picture before its pixels are read. */
export interface PictureFacts {
  readonly file: string;
  readonly format: 'PNG' | 'JPEG' | 'TIFF';
  /** Red, green and blue, or one of grey, of labels. */
  readonly channels: 1 | 3;
  readonly type: 'uint8' | 'uint16';
  /** From the largest to the smallest. */
  readonly levels: readonly PictureLevel[];
  /** Of the largest level, where the file says it. */
  readonly pixel?: PixelSize;
  /** What was passed over, or taken otherwise than somebody may think. */
  readonly notes: readonly string[];
}

/** The tiles of a picture. */
export interface PictureTiles extends PictureFacts {
  /** A tile of a level, `tileWidth` samples a row; the last one of a column may lack rows that are not in the picture. */
  tile(level: number, row: number, column: number): Promise<PictureSamples>;
}

/** A picture whose header is read and found sound. Files are opened for each reading alone. */
export interface OpenPicture extends PictureFacts {
  /** Puts the samples of a box within a level into `out`, which has its length. */
  read(level: number, box: PictureBox, out: PictureSamples): Promise<void>;
}

/** Pixels of a box. */
export const boxPixels = ({ row0, row1, column0, column1 }: PictureBox): number =>
  (row1 - row0) * (column1 - column0);

/** Bytes of a sample. */
export const sampleBytes = (type: PictureFacts['type']): 1 | 2 => (type === 'uint8' ? 1 : 2);

/** An array for samples. */
export const samplesOf = (type: PictureFacts['type'], length: number): PictureSamples =>
  type === 'uint8' ? new Uint8Array(length) : new Uint16Array(length);
