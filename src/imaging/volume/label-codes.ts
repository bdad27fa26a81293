// What the values of label maps mean. Classes are numbered 0, 1, 2... as the network's scores are; the values of files may have
// gaps, several may be one class, and one may stand for voxels that are left out.

/** Stands in label volumes for voxels that are left out of the loss, of sampling and of scores. */
export const IGNORED = 255;

/** The meaning of values, where they are not the classes themselves. */
export interface LabelCodes {
  /** Class of each value, or {@link IGNORED}; a value that is not here is refused. */
  readonly classOf: Readonly<Record<string, number>>;
  /** Value of each class, which segmentations are written with; the classes themselves where absent. */
  readonly classValues?: readonly number[];
  /** Sets of classes, which a network tells one by one, where the data set has such; see {@link LabelRegion}. */
  readonly regions?: readonly LabelRegion[];
}

/** A set of classes that a network finds as one: regions may overlap, as a tumour and its core do. */
export interface LabelRegion {
  readonly name: string;
  /** Classes above 0, rising. */
  readonly classes: readonly number[];
  /** The one of them that segmentations have where the region is found; later regions are written over earlier ones. */
  readonly written: number;
}

/** Whether there are voxels to leave out. */
export const ignoresVoxels = (codes: LabelCodes | undefined): boolean =>
  codes !== undefined && Object.values(codes.classOf).includes(IGNORED);

/** The class of each value 0 to 255, -1 where it is refused; `classes`: how many there may be. */
export function codeTable(codes: LabelCodes | undefined, classes = 256): Int16Array {
  return Int16Array.from({ length: 256 }, (_, value) => {
    const cls = codes === undefined ? value : (codes.classOf[value] ?? -1);
    return cls < classes || (codes !== undefined && cls === IGNORED) ? cls : -1;
  });
}

/** `0 background, 4 tumour, 9 ignore`: the values that label maps may have; undefined where no names are known. */
export function knownValues(
  names: readonly string[] | undefined,
  codes: LabelCodes | undefined,
): string | undefined {
  if (names === undefined) return undefined;
  if (codes === undefined) return names.map((name, value) => `${value} ${name}`).join(', ');
  return Object.entries(codes.classOf)
    .filter(([, cls]) => cls === IGNORED || cls < names.length)
    .map(([value, cls]) => `${value} ${cls === IGNORED ? 'ignore' : names[cls]}`)
    .join(', ');
}

/** Classes as the values that files have for them, in place. */
export function asValues(classes: Uint8Array, classValues: readonly number[] | undefined): Uint8Array {
  if (classValues === undefined) return classes;
  for (let n = 0; n < classes.length; n++) classes[n] = classValues[classes[n]] ?? classes[n];
  return classes;
}

/** Voxels that are left out of a comparison become background in truth and prediction, in place. */
export function withoutIgnored(truth: Uint8Array, prediction: Uint8Array): void {
  for (let n = 0; n < truth.length; n++) {
    if (truth[n] !== IGNORED) continue;
    truth[n] = 0;
    prediction[n] = 0;
  }
}
