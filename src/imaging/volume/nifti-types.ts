import type { VoxelArray } from './volume.ts';

interface Element {
  /** The header's `datatype` code (nifti1.h). */
  readonly code: number;
  readonly bytes: number;
  /** What holds its values exactly; there is no array of numbers for 64-bit integers. */
  readonly array?: new (
    length: number,
  ) => VoxelArray;
}

/** The element types that are read and written, by their names in NIfTI: all that is true of each. */
const elements = {
  int8: { code: 256, bytes: 1, array: Int8Array },
  uint8: { code: 2, bytes: 1, array: Uint8Array },
  int16: { code: 4, bytes: 2, array: Int16Array },
  uint16: { code: 512, bytes: 2, array: Uint16Array },
  int32: { code: 8, bytes: 4, array: Int32Array },
  uint32: { code: 768, bytes: 4, array: Uint32Array },
  int64: { code: 1024, bytes: 8 },
  uint64: { code: 1280, bytes: 8 },
  float32: { code: 16, bytes: 4, array: Float32Array },
  float64: { code: 64, bytes: 8, array: Float64Array },
} as const satisfies Record<string, Element>;

export type ElementType = keyof typeof elements;

/** Element types of written files: those that an array of this program can hold. */
export type WritableType = Exclude<ElementType, 'int64' | 'uint64'>;

const names = Object.keys(elements) as ElementType[];

/** Bytes of one element. */
export const elementBytes = (type: ElementType): number => elements[type].bytes;

/** The header's `datatype` code. */
export const elementCode = (type: ElementType): number => elements[type].code;

/** The array whose elements are of a type. */
export function arrayOfType(
  type: WritableType,
): new (
  ...from: [length: number] | [buffer: ArrayBufferLike, offset: number, length: number]
) => VoxelArray {
  return elements[type].array;
}

/** The element type that an array is. */
export function typeOfArray(data: VoxelArray): WritableType {
  const known = names.find((type) => {
    const { array }: Element = elements[type];
    return array !== undefined && data instanceof array;
  });
  return known as WritableType;
}

/** The type that keeps the values of a file's type in at most four bytes; larger int64 values do not fit theirs. */
export function compactType(type: ElementType): WritableType {
  const narrower = { int64: 'int32', uint64: 'uint32', float64: 'float32' } as const;
  return type === 'int64' || type === 'uint64' || type === 'float64' ? narrower[type] : type;
}

const unsupported: ReadonlyMap<number, string> = new Map([
  [0, 'unknown'],
  [1, 'binary'],
  [32, 'complex64'],
  [128, 'RGB'],
  [1536, 'float128'],
  [1792, 'complex128'],
  [2048, 'complex256'],
  [2304, 'RGBA'],
]);

/** The element type of a `datatype` code, or undefined where it is none that holds one number a voxel. */
export function elementOfCode(code: number): ElementType | undefined {
  return names.find((type) => elements[type].code === code);
}

/** A `datatype` code in words, for messages. */
export function nameOfCode(code: number): string {
  return `${code} (${elementOfCode(code) ?? unsupported.get(code) ?? 'not a NIfTI type'})`;
}
