// What the page of `halomesh view` is told, as JSON. Pure types: the page is built from them too.

/** A file that the page can fetch. */
export interface ShownFile {
  /** Relative to the page. */
  readonly url: string;
  /** With the ending that tells its format. */
  readonly name: string;
}

/** A level of a slide, in tiles of {@link ShownSlide.tile} pixels. */
export interface ShownLevel {
  readonly height: number;
  readonly width: number;
}

/** A slide or a label map of one, of which tiles are asked for at its address: `/LEVEL/COLUMN/ROW`. */
export interface ShownSlide {
  /** From the largest to the one that is a single tile, each half as large. */
  readonly levels: readonly ShownLevel[];
  /** The first of them that there are tiles of: a saved page has the coarser ones alone. */
  readonly lowest: number;
  /** Pixels of a tile along each side. */
  readonly tile: number;
  /** Red, green and blue, or one of grey or of classes. */
  readonly channels: 1 | 3;
  /** Of a label map: pixels of the neighbours that its tiles have around them, where there are some. Absent of a picture. */
  readonly margin?: number;
  /** From pixel to pixel of the largest level, where that is known. */
  readonly microns?: { readonly row: number; readonly column: number };
  /** What somebody should know of it. */
  readonly notes: readonly string[];
}

export interface ShownScores {
  readonly dice: number | null;
  /** 95th percentile of the distances between surfaces, mm. */
  readonly hd95: number | null;
}

export interface ShownLesions {
  readonly trueLesions: number;
  readonly found: number;
  readonly predictedLesions: number;
  readonly matched: number;
}

/** What a run or a folder of segmentations says of a case. */
export interface ShownResult {
  /** Number of the source. */
  readonly source: number;
  /** The segmentation, where there is one. */
  readonly labels?: ShownFile;
  /** By class. */
  readonly scores?: Readonly<Record<string, ShownScores>>;
  readonly lesions?: ShownLesions;
  /** The picture that `evaluate` drew. */
  readonly overlay?: ShownFile;
}

export interface ShownCase {
  readonly id: string;
  /** What the run did with it: training, validation, neither. */
  readonly kind?: string;
  /** The scan, channel by channel in the order of {@link ViewData.channels}; empty where there is none, and of a slide. */
  readonly images: readonly ShownFile[];
  /** The slide, where it is one: its address tells {@link ShownSlide}, as those of its label maps do. */
  readonly slide?: ShownFile;
  readonly truth?: ShownFile;
  readonly results: readonly ShownResult[];
}

export interface ShownSource {
  readonly name: string;
  /** Whether it has a log that can be followed. */
  readonly run: boolean;
}

export interface ShownChannel {
  readonly name: string;
  /** The values that it was cut off at for the network, where a run says so; HU of CT. */
  readonly window?: readonly [lower: number, upper: number];
}

export interface ShownRegion {
  readonly name: string;
  /** Numbers of classes. */
  readonly classes: readonly number[];
}

export interface ViewData {
  readonly title: string;
  /** Names of labels 0, 1, 2... */
  readonly classes: readonly string[];
  /** At least one. */
  readonly channels: readonly ShownChannel[];
  /** Sets of classes that are told one by one, where the data set has such. */
  readonly regions: readonly ShownRegion[];
  readonly sources: readonly ShownSource[];
  readonly cases: readonly ShownCase[];
  /** What is not shown, and why. */
  readonly notes: readonly string[];
}

/** A connected part of a class in the truth or in a segmentation. */
export interface LesionPlace {
  readonly of: 'truth' | 'prediction';
  /** Whether it shares a voxel with one of the other map. */
  readonly met: boolean;
  readonly ml: number;
  /** A voxel of it near its middle, RAS+ mm. */
  readonly mm: readonly [x: number, y: number, z: number];
}

export interface LesionPlaces {
  /** The class whose parts they are. */
  readonly label: string;
  /** The largest first. */
  readonly places: readonly LesionPlace[];
  /** How many smaller ones are left out. */
  readonly more: number;
}

/** What is known of a run beside its log. */
export interface ShownRun {
  /** Steps in all. */
  readonly steps: number;
  /** Of the whole process, bytes; absent in runs of older versions, as is the next. */
  readonly predictedPeakBytes?: number;
  /** Seconds of the kernels of a step by layer, in the order in which the layers first run. */
  readonly layers?: readonly { readonly layer: string; readonly seconds: number }[];
}

/** A case as the newest checkpoint segments it. */
export interface ShownSample {
  readonly case: string;
  readonly picture: ShownFile;
}
