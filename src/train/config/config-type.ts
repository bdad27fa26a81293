import type { LabelMapping, LabelRegion, SplineResampling } from '../../imaging/index.ts';
import type { DeviceChoice } from '../../machine/index.ts';
import type {
  Adafactor,
  Adam,
  FirstWeights,
  LossFunction,
  LossName,
  NetworkFunction,
  NormKind,
  PlainUNetConfig,
  Sgd,
} from '../../nn/index.ts';
import type { AugmentationSettings } from './augmentation.ts';
import type { FlipAxis, NormalizationName } from './choices.ts';

/** What is learnt: the class of each voxel, or that of each image as a whole. */
export const TASKS = ['segment', 'classify'] as const;
export type Task = (typeof TASKS)[number];

/** Whole sets of settings to start from. */
export const PRESETS = ['default', 'hou2019', 'hou2019-2d'] as const;
export type Preset = (typeof PRESETS)[number];

/** How the learning rate runs over the steps; its highest value is `learningRate`. */
export type ScheduleSettings =
  | { readonly kind: 'constant' }
  /** rate * factor^floor(step / every) */
  | { readonly kind: 'step'; readonly factor: number; readonly every: number }
  /** Rises over `warmup` steps, then falls along half a cosine to `floor` at the last step. */
  | { readonly kind: 'cosine'; readonly warmup?: number; readonly floor?: number }
  /** rate * (1 - step / steps)^power; power 0.9 by default. */
  | { readonly kind: 'poly'; readonly power?: number };

/** What is minimised: (1 - mix) * losses of voxels + mix * losses of regions; of one sort alone, these. */
export interface LossSettings {
  /** Losses by name, those of a sort averaged; by default `dice` and `ce`, of regions that may overlap `dice` and `bce`. */
  readonly terms?: readonly LossName[];
  /** Weight of a voxel by its true class, one for each class. By default `foregroundWeight` for all but class 0. */
  readonly weights?: readonly number[];
  /** Weight of the classes above 0, or of regions, where `weights` is not given. */
  readonly foregroundWeight: number;
  /** Classes of the losses of regions; by default all above 0. */
  readonly dice?: readonly number[];
  /** Share of the losses of regions, 0 to 1. */
  readonly mix: number;
  /** Keeps a loss of regions finite where neither truth nor prediction has the class. */
  readonly epsilon: number;
  /** Exponent of the focal loss; 2 by default. */
  readonly gamma?: number;
  /** What a false voxel costs in the Tversky loss, and what a missed one does; 0.3 and 0.7 by default. */
  readonly alpha?: number;
  readonly beta?: number;
  /** Share of the boundary loss in the first step and in the last one, between which it rises evenly; 0.01 and 0.5 by default. */
  readonly boundaryWeight?: { readonly first: number; readonly last: number };
  /** A loss given in code, in place of `terms`: its name alone is in files. */
  readonly custom?: { readonly name: string; readonly build?: LossFunction };
}

/** A network stage by stage. */
export type StagedNetwork = Omit<PlainUNetConfig, 'classes'>;

/** A module whose function builds the network; a copy of it lies in the folder of the run. */
export interface NetworkModule {
  readonly kind: 'module';
  /** Name of the file that it came from. */
  readonly name: string;
  /** Of the file. */
  readonly sha256: string;
  /** The function, where the module is loaded; files do not have it. */
  readonly build?: NetworkFunction;
}

/** A network given as a function in code: its name alone is in files. */
export interface NetworkInCode {
  readonly kind: 'code';
  readonly name: string;
  readonly build?: NetworkFunction;
}

/**
 * Networks by name: the U-Net of `base` and `levels`; or those of nnU-Net, plain or with a residual encoder, whose stages follow from
 * spacing and size.
 */
export const NETWORKS = ['unet', 'nnunet', 'resunet'] as const;

export const isNetworkName = (name: unknown): boolean => NETWORKS.some((known) => known === name);

export const SAMPLINGS = ['uniform', 'balanced'] as const;

/** How a channel is normalised: by name, or cut off at HU and brought to mean 0 and deviation 1 by the numbers of a data set. */
export type NormalizationSetting =
  | NormalizationName
  | {
      readonly kind: 'clip';
      readonly lower: number;
      readonly upper: number;
      readonly mean: number;
      readonly deviation: number;
    };

/** How scans are prepared and segmented as nnU-Net v2 does it. */
export interface NnunetSettings {
  /** The axes that the network sees as depth, height, width: those of the file in their order, or of RAS+ order. */
  readonly order: 'file' | 'ras';
  /** Voxels of the windows that slide over a prepared scan (depth, height, width). */
  readonly patch: readonly [number, number, number];
  /** How far they are apart at most, as a share of a window. */
  readonly step: number;
  /** Axes that are also turned around: scores are the mean over all 2^n ways to do so. */
  readonly mirror: readonly FlipAxis[];
  /** How scans are resampled, and how scores come back. */
  readonly image: SplineResampling;
  readonly scores: SplineResampling;
}

/** Everything that a training run depends on: plain JSON, every choice made. */
export interface TrainConfig {
  readonly preset: Preset;
  /** What is learnt; `segment` where absent. */
  readonly task?: Task;
  /** Folder of the data set, absolute. */
  readonly data: string;
  /** Paths of its images and label maps with a star for the id (`*_ct.nii.gz`), where it is no Decathlon or nnU-Net folder. */
  readonly images?: string;
  readonly labels?: string;
  /** A table (`id,label`) of the classes of its images as wholes, absolute, where its dataset.json does not say them. */
  readonly imageLabels?: string;
  /** What values of its label maps stand for: other values, or `ignore` for voxels that are left out. */
  readonly mapLabels?: LabelMapping;
  /** Whether scans whose axes lean (gantry tilt) are resampled to upright grids, and their label maps with them. */
  readonly resampleTilt?: boolean;
  /** Folder of the run, absolute. */
  readonly out: string;
  /** Names of classes 0, 1, 2...; those of the data set where absent. */
  readonly classes?: readonly string[];
  /** Value of each class in label maps, as the data set says; the classes themselves where absent. */
  readonly classValues?: readonly number[];
  /** Sets of classes that the network tells one by one in place of classes, as the data set says; absent where it has none. */
  readonly regions?: readonly LabelRegion[];
  /** Whether label maps have voxels that are left out, as the data set says. */
  readonly ignore?: boolean;
  /**
   * Cases kept out of training: their ids, their share (above 0, below 1) of the data set, or a file (.json, .txt) that names
   * them, absolute.
   */
  readonly validation?: readonly string[] | number | string;
  /**
   * `K/N`: part K (from 0) of the N parts that the seed draws of the data set is kept out of training; `K/all`: case K alone
   * is. `K`, beside a file of splits as `validation`: split K of it.
   */
  readonly fold?: string;

  /** Resample to a cube (with `plane` a square) of this many voxels a side. Without size and spacing a scan keeps its own voxels. */
  readonly size?: number;
  /** Resample to this voxel size, mm: one number, or (depth, height, width). */
  readonly spacing?: number | readonly [number, number, number];
  /** Names of the channels of the images; those of the data set where absent. */
  readonly channels?: readonly string[];
  /**
   * How each channel is normalised, or one way for all; `auto`: by the names of the channels. Absent: `auto`, but a single channel has
   * the window.
   */
  readonly normalization?: 'auto' | NormalizationSetting | readonly NormalizationSetting[];
  /** The range of HU that becomes 0..1 in channels of CT; -512..512 by default. */
  readonly window?: { readonly lower: number; readonly upper: number };
  /**
   * Train on patches of so many voxels (depth, height, width) of the prepared volumes, at random places, one of each sample; along an
   * axis on all of it where the volume is shorter. Absent: on whole volumes.
   */
  readonly patch?: readonly [number, number, number];
  readonly augmentation: AugmentationSettings;

  /** Parts that dimensions are cut into: short for a mesh whose axes are named after them. */
  readonly split?: Readonly<Record<string, number>> | 'auto';
  /** Ranks along each mesh axis; none is a single rank. */
  readonly mesh: Readonly<Record<string, number>>;
  /** Mesh axis that cuts a dimension (batch, depth, height, width, channel). */
  readonly layout: Readonly<Record<string, string>>;
  readonly device: DeviceChoice;
  /** Threads of the CPU device. */
  readonly threads: number;

  /**
   * Resident memory of the process at most, bytes. What does not fit is recomputed or spilled to a file; without a split, the
   * volume is cut into parts that run in turn. Changes no result.
   */
  readonly memoryLimit?: number;
  /** Folder of the spill file; by default the system's for temporary files. */
  readonly spillDir?: string;

  /** `direct`: no convolution by Winograd's filtering, whose rounding differs a little. By default what is faster. */
  readonly exactConv?: 'auto' | 'direct';

  /**
   * 2-D: the network sees single slices, with as many neighbouring ones (odd: the slice is in the middle) as channels. Absent: 3-D.
   */
  readonly slices?: number;
  /**
   * 2-D: images are pictures, which are volumes of depth 1 and any number of channels; windows slide over height and width. Absent:
   * where all images of the data set are pictures, else 3-D.
   */
  readonly plane?: boolean;
  /** Glass beside the tissue of stained pictures, by the colours of its pixels, costs no loss and is background in predictions. */
  readonly ignoreGlass?: boolean;
  /**
   * Another network than the U-Net of `base`, `levels`, `norm` and `dropoutKeep`: stage by stage, as imported ones are, or a module's,
   * which is asked for by its file (.mjs, .js), absolute.
   */
  readonly network?: string | StagedNetwork | NetworkModule | NetworkInCode;
  /** Absent: whole volumes, as everywhere else here. Imported runs have it. */
  readonly nnunet?: NnunetSettings;
  /** Channels of the first level. */
  readonly base: number;
  /** Resolutions: one more than poolings. */
  readonly levels: number;
  readonly norm: NormKind;
  /** Probability that dropout keeps an element; 1 is no dropout. */
  readonly dropoutKeep: number;
  /** How activations are stored. */
  readonly precision: 'f32' | 'bf16';

  readonly loss: LossSettings;
  /** Losses at the lower resolutions of the way up, too, in training. */
  readonly deepSupervision: boolean;
  /** How weights begin; `he-normal` by default. */
  readonly firstWeights?: FirstWeights;
  /** A run, or a safetensors file, absolute: weights that it has under the same names and of the same shapes begin as these. */
  readonly init?: string;
  /** Patterns of weights that stay as they are: paths of layers with stars, such as `down*`. */
  readonly freeze?: readonly string[];
  /** What the learning rate of weights is multiplied by, by such patterns; the last one that fits counts. */
  readonly rates?: Readonly<Record<string, number>>;
  readonly optimizer: Sgd | Adam | Adafactor;
  /** All gradients are scaled down so that their joint Euclidean norm is at most this. */
  readonly clipNorm?: number;
  /** Decay of running averages of the weights, which validation and prediction then use; absent: the weights themselves. */
  readonly ema?: number;
  /** Highest learning rate. */
  readonly learningRate: number;
  readonly schedule: ScheduleSettings;
  readonly steps: number;
  /** Volumes of a step; in 2-D slices, all of one case. */
  readonly batch: number;
  /** Batches of a step, whose gradients are averaged; 1 where absent. */
  readonly accumulate?: number;
  /** `balanced`: every second case (and slice) is drawn among those that hold a class, with each class as often. */
  readonly sampling: (typeof SAMPLINGS)[number];
  /** Steps between checkpoints, each with a validation where there are cases for it. */
  readonly checkpointEvery: number;
  /**
   * What the best checkpoint is best by: `dice` (mean over the classes above 0), `dice:NAME` of one class, or `loss`; of images that have
   * one label `auc`, `accuracy` or `loss`.
   */
  readonly bestBy: string;
  /** Ends the run when this many validations in a row were no better than the best before them. */
  readonly patience?: number;
  /**
   * Training cases that the moving statistics of batch norm are measured on, without augmentation, before a checkpoint is
   * saved; 0 keeps the running averages of training.
   */
  readonly statisticsCases: number;
  /** Of first weights, dropout, augmentation and the order of cases. */
  readonly seed: number;
}
