import type { ElementType } from './nifti-types.ts';
import type { UprightGrid } from './tilt/upright.ts';
import type { Grid, VoxelArray } from './volume.ts';
import type { VoxelBox } from './voxel-source.ts';

export type ScanFormat = 'NIfTI' | 'NRRD' | 'MetaImage' | 'DICOM' | 'Zarr' | PictureFormat;

/** Files of slides, and of what is drawn on them: volumes of depth 1. */
const pictureFormats = ['PNG', 'JPEG', 'TIFF', 'GeoJSON'] as const;
export type PictureFormat = (typeof pictureFormats)[number];

export const isPictureFormat = (format: ScanFormat): format is PictureFormat =>
  pictureFormats.some((one) => one === format);

/** How a scan's voxels are kept, and which part of a file or folder is the scan. */
export interface ScanReadOptions {
  /**
   * `compact` (default): the file's own type where nothing is scaled, else float32; see compactArray.
   * `float32` and `float64` force that type; only `float64` keeps every value of a float64 or int64 file.
   */
  readonly as?: 'compact' | 'float32' | 'float64';
  /**
   * Which 3-D volume, counted from 0: of a 4-D to 7-D NIfTI file in its order, of a series of DICOM in the order that the message which
   * refuses several lists (echoes, phases, values of b); or which channel of a picture (red, green, blue). Several are refused without it.
   */
  readonly volume?: number;
  /** How many 3-D volumes the file must have, where one of several is read. */
  readonly volumes?: number;
  /**
   * The series to read from a DICOM folder: its SeriesInstanceUID, its number, its description, or a part of that which no other has;
   * needed where the folder holds several.
   */
  readonly series?: string;
  /** Whether label maps are read: only then a DICOM segmentation or structure set is one. */
  readonly labels?: boolean;
  /**
   * The grid of the image that label maps are of: a DICOM segmentation may leave out slices without labels, and a structure set has no grid
   * of its own.
   */
  readonly onto?: Grid;
  /** Values of the structures of a structure set (RTSTRUCT), by name; others are left out. Their own numbers by default. */
  readonly structures?: ReadonlyMap<string, number>;
  /**
   * What to do with axes that lean (gantry tilt): `keep` gives the leaning voxels, `resample` brings them to an upright grid. By default a
   * series of DICOM that leans is refused, and other formats give the leaning voxels.
   */
  readonly lean?: 'keep' | 'resample';
  /** Whether NaN and infinite voxels are an error (default) or kept. */
  readonly nonFinite?: 'refuse' | 'keep';
  /** Refuse scans whose voxels take more than this many bytes; 8 GiB by default. */
  readonly maxBytes?: number;
}

/** Where a channel of a scan lies: a scan of its own, or one of several volumes of a file. */
export interface ChannelFile {
  /** A file, or the folder of a DICOM series. */
  readonly file: string;
  /** Which volume of the file, counted from 0, and how many it must have. */
  readonly volume?: number;
  readonly volumes?: number;
}

/** What is known of a scan before its voxels are read, whatever its format. */
export interface ScanHeader extends Grid {
  /** The file, or the folder of a DICOM series or of an array of a store. */
  readonly file: string;
  readonly format: ScanFormat;
  /** Type of the stored values; of a DICOM series the type that holds its scaled values. */
  readonly type: ElementType;
  /** value = stored * slope + intercept. */
  readonly slope: number;
  readonly intercept: number;
  /** How the scan lay before it was resampled upright; absent where it was not. */
  readonly upright?: UprightGrid;
  /** Whether the file says where the axes point; where it does not, its format's convention is taken. */
  readonly oriented: boolean;
  /**
   * What somebody should look at: what was passed over or taken otherwise than it is written, such as copies of slices or two
   * orientations in one header. Absent where there is nothing.
   */
  readonly notes?: readonly string[];
}

/** Takes an image from its first slice to its last. */
export interface SlabSink<T> {
  /** The voxels of the next few slices, from slice `first` on; the array is used again. */
  take(voxels: VoxelArray, first: number): void;
  /** Called after the last slab. */
  end(): T;
}

/** A scan whose header is read and found sound, and whose voxels are not read. */
export interface OpenScan {
  readonly header: ScanHeader;
  /** The same grid with its axes in the order in which slices pass by, where that is another: a picture passes by row by row. */
  readonly passing?: Grid;
  /**
   * Decodes all voxels, in order. `slab`, which holds whole slices, is filled again and again and handed over; the last filling
   * may be shorter. To be called once.
   */
  read(slab: VoxelArray, checkFinite: boolean, take: SlabSink<unknown>['take']): Promise<void>;
  /** Decodes a box of the header's grid alone, where the format allows that: pictures do. To be called any number of times. */
  readonly box?: (box: VoxelBox, out: VoxelArray) => Promise<void>;
  /** Releases the file. Safe to call at any time, also twice. */
  close(): Promise<void>;
}

/** Bytes of voxels that a scan may have unless its reader is told otherwise. */
export const defaultMaxBytes = 8 * 2 ** 30;
