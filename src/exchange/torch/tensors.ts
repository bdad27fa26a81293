// Tensors of PyTorch: a type, and a strided view of a storage that others may share.

/** Numbers in a file, one behind the other. */
export interface TorchStorage {
  readonly kind: 'storage';
  /** Name of its entry in the archive, without the folder. */
  readonly key: string;
  /** Absent for one of bytes, whose tensors bring their type. */
  readonly type?: TorchType;
  /** How many numbers (of one of bytes: how many bytes) it holds, as the file says. */
  readonly length: number;
}

export interface TorchTensor {
  readonly kind: 'tensor';
  readonly storage: TorchStorage;
  readonly type: TorchType;
  readonly shape: readonly number[];
  /** Numbers of the storage between neighbours along each dimension. */
  readonly strides: readonly number[];
  /** Number of the storage that the first one is. */
  readonly offset: number;
}

/** The numbers of a tensor, row-major: 16-bit ones as float32, all whole ones of 64 bits exactly. */
export type TorchNumbers = Float32Array | Float64Array | BigInt64Array;

interface TypeFacts {
  readonly bytes: number;
  /** Name of its kind of storage in old and present files. */
  readonly storage: string;
  /** A place for so many numbers. */
  readonly array: (length: number) => TorchNumbers;
  readonly read: (from: DataView, at: number) => number | bigint;
}

const floats = (length: number) => new Float32Array(length);
const doubles = (length: number) => new Float64Array(length);

/** Types by their own names. */
export const TORCH_TYPES = [
  ...(['float32', 'float64', 'float16', 'bfloat16'] as const),
  ...(['int64', 'int32', 'int16', 'int8', 'uint8', 'bool'] as const),
] as const;

export type TorchType = (typeof TORCH_TYPES)[number];

const types: Readonly<Record<TorchType, TypeFacts>> = {
  float32: {
    bytes: 4,
    storage: 'FloatStorage',
    array: floats,
    read: (from, at) => from.getFloat32(at, true),
  },
  float64: {
    bytes: 8,
    storage: 'DoubleStorage',
    array: doubles,
    read: (from, at) => from.getFloat64(at, true),
  },
  float16: {
    bytes: 2,
    storage: 'HalfStorage',
    array: floats,
    read: (from, at) => halfToFloat(from.getUint16(at, true)),
  },
  bfloat16: {
    bytes: 2,
    storage: 'BFloat16Storage',
    array: floats,
    // The upper half of a float32.
    read: (from, at) => {
      scratch.setUint32(0, from.getUint16(at, true) << 16);
      return scratch.getFloat32(0);
    },
  },
  int64: {
    bytes: 8,
    storage: 'LongStorage',
    array: (length) => new BigInt64Array(length),
    read: (from, at) => from.getBigInt64(at, true),
  },
  int32: { bytes: 4, storage: 'IntStorage', array: doubles, read: (from, at) => from.getInt32(at, true) },
  int16: { bytes: 2, storage: 'ShortStorage', array: floats, read: (from, at) => from.getInt16(at, true) },
  int8: { bytes: 1, storage: 'CharStorage', array: floats, read: (from, at) => from.getInt8(at) },
  uint8: { bytes: 1, storage: 'ByteStorage', array: floats, read: (from, at) => from.getUint8(at) },
  bool: { bytes: 1, storage: 'BoolStorage', array: floats, read: (from, at) => from.getUint8(at) },
};

const scratch = new DataView(new ArrayBuffer(4));

/** The type of a kind of storage; undefined for an unknown one. */
export const typeOfStorage = (name: string): TorchType | undefined =>
  TORCH_TYPES.find((type) => types[type].storage === name);

export const bytesOfType = (type: TorchType): number => types[type].bytes;

/** A half-precision number (IEEE 754 binary16) by its bits. */
export function halfToFloat(bits: number): number {
  const sign = bits >>> 15 === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** How many numbers a shape has. */
export const countOf = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** The numbers of a view, row-major, from the bytes of its storage, which hold it. */
export function numbersOf({ type, shape, strides, offset }: TorchTensor, storage: Uint8Array): TorchNumbers {
  const { bytes, array, read }: TypeFacts = types[type];
  const view = new DataView(storage.buffer, storage.byteOffset, storage.byteLength);
  const count = countOf(shape);
  const out = array(count);
  const at = shape.map(() => 0);
  let place = offset;
  for (let n = 0; n < count; n++) {
    out[n] = read(view, place * bytes);
    // The next index, the last dimension first.
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      place += strides[dim];
      if (++at[dim] < shape[dim]) break;
      place -= strides[dim] * shape[dim];
      at[dim] = 0;
    }
  }
  return out;
}
