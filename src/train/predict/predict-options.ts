import type { StopSignal } from '../../core/index.ts';
import type { LabelFormat, Shape3 } from '../../imaging/index.ts';
import type { InOnePiece } from '../../run/index.ts';
import type { Cleaning } from './cleaning.ts';
import type { EnsembleOptions } from './ensemble.ts';
import type { FlipAxis } from './flips.ts';
import type { FurtherFiles } from './outputs/structures.ts';

/** How scans are segmented and what is written. */
export interface PredictionSettings extends EnsembleOptions {
  /** UID, number or description of the scan's series, where its folder holds several. */
  readonly series?: string;
  /** Number of the scan's volume, from 0, where its file or series holds several: phases, echoes, values of b. For runs of one channel. */
  readonly volume?: number;
  /**
   * Segment scans whose axes lean (gantry tilt) on an upright grid, to which they are resampled; labels come back on the voxels of the
   * scan, probabilities lie on the upright grid. By default as the run was trained.
   */
  readonly resampleTilt?: boolean;
  /** Axes that are also turned around; probabilities are the mean over all combinations (8 for three axes). */
  readonly flips?: readonly FlipAxis[];
  /** Write the probability of each class too, as float32, beside the labels: `NAME_probability_CLASS.nii.gz`. */
  readonly probabilities?: boolean;
  /** Voxels of these are larger by this factor along each axis; 1 by default. */
  readonly probabilitiesDownsample?: number;
  /** Write a mask of each class above 0, or region, too, as TotalSegmentator does: `NAME/CLASS.nii.gz`. */
  readonly oneFilePerClass?: boolean;
  /** Write volumes, mean intensities and the parts of lesions too: `NAME_statistics.json` and `.csv`. */
  readonly statistics?: boolean;
  /** The format of the label map; by default what its name says, and NIfTI in a folder. */
  readonly format?: LabelFormat;
  /** Write the names of labels too: in a NIfTI file, and as a label description of ITK-SNAP, `NAME_labels.txt`, beside it. */
  readonly labelNames?: boolean;
  /** Write the outlines of classes too, of a picture: `NAME.geojson`. */
  readonly outlines?: boolean;
  /** For DICOM: when the segmentation was made, in UTC; with it the same labels give the same bytes. Now by default. */
  readonly date?: Date;
  /** How labels are cleaned up, on the voxels of the scan. */
  readonly cleaning?: Cleaning;
  /** Whether outputs that are there are replaced; they are refused by default. Scans that are read never are. */
  readonly overwrite?: boolean;
  /** Is told what happens. */
  readonly onEvent?: (event: PredictionEvent) => void;
  /** Ends it between two passes of the network, with the signal's reason as the error. Nothing half-written stays. */
  readonly signal?: StopSignal;
  /** Brings labels back to the voxels of the scan and cleans them up. */
  readonly inOnePiece?: InOnePiece;
}

export interface PredictOptions extends PredictionSettings {
  /**
   * The scan: a NIfTI, NRRD or MetaImage file, or the folder of a DICOM series. For a run of several channels their files with commas
   * between them, or a NIfTI file with as many volumes.
   */
  readonly input: string;
  /**
   * File to write, whose folder is made: `.nii`, `.nii.gz`, `.nrrd`, `.seg.nrrd`, `.mha`, `.dcm` for a segmentation of DICOM, or
   * `.tif` for a picture; or a folder that is there or ends in `/`, for NAME.nii.gz, of a picture NAME.tif.
   */
  readonly output: string;
}

export interface PredictFolderOptions extends PredictionSettings {
  /** A folder of scans, whose channels end in _0000, _0001..., or of folders with a DICOM series each. */
  readonly input: string;
  /** Folder for a NAME.nii.gz of each scan, or NAME.tif of each picture; made if it is not there. */
  readonly output: string;
}

export interface PredictResult extends FurtherFiles {
  readonly input: string;
  /** The file of labels. */
  readonly output: string;
  /** The file of outlines, where asked for. */
  readonly outlines?: string;
  /** Files of probabilities by name of the class, or region, where asked for. */
  readonly probabilities?: Readonly<Record<string, string>>;
  /** Voxels of the scan: depth, height, width. */
  readonly shape: Shape3;
  /** Between them, mm. */
  readonly spacing: Shape3;
  /** Of a voxel, mm^3. */
  readonly voxelVolume: number;
  /** Voxels of each class, or region, by name. */
  readonly voxels: Readonly<Record<string, number>>;
  readonly checkpoint: 'best' | 'latest';
  /** Steps that the network was trained for. */
  readonly step: number;
}

/** A scan that could not be segmented. */
export interface PredictionFault {
  readonly input: string;
  readonly error: Error;
}

export interface FolderResult {
  readonly results: readonly PredictResult[];
  readonly faults: readonly PredictionFault[];
}

export type PredictionEvent =
  | { readonly kind: 'scan'; readonly input: string; readonly place: number; readonly scans: number }
  /** A pass of the network over the scan or a block of it; how many this process does for the scan. */
  | { readonly kind: 'pass'; readonly input: string; readonly done: number; readonly passes: number }
  /** What somebody should look at in the header of a scan, as a phrase; told once for each. */
  | { readonly kind: 'note'; readonly input: string; readonly note: string }
  | { readonly kind: 'written'; readonly input: string; readonly result: PredictResult }
  | { readonly kind: 'fault'; readonly input: string; readonly error: Error };
