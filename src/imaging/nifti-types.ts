/** The element types that are read and written, by their names in NIfTI. */
export type ElementType =
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64';

/** Bytes of one element. */
export const elementBytes: Readonly<Record<ElementType, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float32: 4,
  float64: 8,
};

/** The header's `datatype` code of each element type (nifti1.h). */
export const elementCode: Readonly<Record<ElementType, number>> = {
  uint8: 2,
  int16: 4,
  int32: 8,
  float32: 16,
  float64: 64,
  int8: 256,
  uint16: 512,
  uint32: 768,
  int64: 1024,
  uint64: 1280,
};

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
  return (Object.keys(elementCode) as ElementType[]).find((name) => elementCode[name] === code);
}

/** A `datatype` code in words, for messages. */
export function nameOfCode(code: number): string {
  return `${code} (${elementOfCode(code) ?? unsupported.get(code) ?? 'not a NIfTI type'})`;
}
