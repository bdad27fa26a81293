import { kindOf } from './pickle.ts';
import { ForeignImport, Global, PickleFault, type PickleHost, type PickleValue } from './pickle-values.ts';
import {
  bytesOfType,
  countOf,
  TORCH_TYPES,
  type TorchStorage,
  type TorchTensor,
  type TorchType,
  typeOfStorage,
} from './tensors.ts';

// What torch.save puts into its pickles beside plain values: tensors over storages that are kept outside, ordered dictionaries,
// devices and sizes, and numbers of numpy. Each import is known by its name and makes a plain value; nothing of it is run.

/** What the pickles of PyTorch's checkpoints may import. */
export const torchHost: PickleHost = {
  find(module, name) {
    const full = `${module}.${name}`;
    const known = table.get(full);
    if (known === undefined) throw new ForeignImport(full);
    return known;
  },

  /** ('storage', kind, key, place, length) */
  persistent(id): TorchStorage {
    const [word, kind, key, , length] = Array.isArray(id) ? id : [];
    if (word !== 'storage' || !(kind instanceof Global) || typeof key !== 'string' || !isCount(length))
      throw new PickleFault('a storage of numbers', kindOf(id));
    const [, name] = /^torch\.(?:storage\.)?(\w+)$/.exec(kind.name) ?? [];
    const type = typeOfStorage(name ?? '');
    if (type === undefined && name !== 'UntypedStorage')
      throw new PickleFault(`a storage of ${TORCH_TYPES.join(', ')}`, kind.name);
    return { kind: 'storage', key, type, length };
  },

  build(value) {
    // State dictionaries carry versions of their layers as an attribute, numpy types their byte order.
    const known =
      value instanceof Map ||
      (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'numpy type');
    if (!known) throw new PickleFault('a dictionary to set attributes of', kindOf(value));
  },
};

const isCount = (value: PickleValue | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

const isCounts = (value: PickleValue | undefined): value is number[] =>
  Array.isArray(value) && value.every(isCount);

/** (storage, offset, shape, strides...) as the type of the storage, or another. */
function tensor(args: readonly PickleValue[], type?: TorchType): TorchTensor {
  const [storage, offset, shape, strides] = args;
  const whole =
    typeof storage === 'object' && storage !== null && 'kind' in storage && storage.kind === 'storage';
  if (!whole) throw new PickleFault('a tensor over a storage', kindOf(storage ?? null));
  const of = type ?? storage.type;
  if (
    of === undefined ||
    !isCount(offset) ||
    !isCounts(shape) ||
    !isCounts(strides) ||
    strides.length !== shape.length
  )
    throw new PickleFault('a tensor with type, offset, shape and strides', 'other arguments');
  const count = countOf(shape);
  const length = storage.type === undefined ? Math.floor(storage.length / bytesOfType(of)) : storage.length;
  const last = shape.reduce((at, size, dim) => at + (size - 1) * strides[dim], offset);
  if (count > 0 && !(last < length))
    throw new PickleFault(`a tensor within the ${length} numbers of its storage`, `one up to number ${last}`);
  if (count > length)
    throw new PickleFault(
      `a tensor of no more numbers than the ${length} of its storage`,
      `${count}: one that is expanded, which tensor.contiguous() undoes`,
    );
  return { kind: 'tensor', storage, type: of, shape, strides, offset };
}

/** What a mapping holds: another one, or a list of pairs. */
function mapping([items]: readonly PickleValue[]): Map<PickleValue, PickleValue> {
  if (items === undefined) return new Map();
  if (items instanceof Map) return new Map(items);
  const pairs = Array.isArray(items) ? items : [];
  if (!Array.isArray(items) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2))
    throw new PickleFault('pairs of a dictionary', kindOf(items));
  return new Map(pairs as [PickleValue, PickleValue][]);
}

function listed([items = []]: readonly PickleValue[]): PickleValue[] {
  if (!Array.isArray(items)) throw new PickleFault('items of a set or a size', kindOf(items));
  return items;
}

/** A number of numpy from its type and bytes. */
function numpyNumber([type, bytes]: readonly PickleValue[]): PickleValue {
  const code =
    typeof type === 'object' && type !== null && 'kind' in type && type.kind === 'numpy type' && type.code;
  if (!code || !(bytes instanceof Uint8Array))
    throw new PickleFault('a number of numpy', `${kindOf(type ?? null)} and ${kindOf(bytes ?? null)}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = Number(code.slice(1));
  if (size !== bytes.length) throw new PickleFault(`${size} bytes of a number of numpy`, `${bytes.length}`);
  const signed = {
    1: () => view.getInt8(0),
    2: () => view.getInt16(0, true),
    4: () => view.getInt32(0, true),
  };
  switch (code) {
    case 'f8':
      return view.getFloat64(0, true);
    case 'f4':
      return view.getFloat32(0, true);
    case 'i8': {
      const value = view.getBigInt64(0, true);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case 'i1':
    case 'i2':
    case 'i4':
      return signed[size as 1 | 2 | 4]();
    case 'b1':
      return view.getUint8(0) !== 0;
    default:
      throw new PickleFault('a number of numpy of type f4, f8, i1 to i8 or b1', code);
  }
}

/** Bytes that old pickles write as text, a character each. */
function encoded([text, coding]: readonly PickleValue[]): Uint8Array {
  if (typeof text !== 'string' || coding !== 'latin1') throw new PickleFault('bytes', kindOf(text ?? null));
  return Buffer.from(text, 'latin1');
}

function typeOfNumpy([code]: readonly PickleValue[]): PickleValue {
  if (typeof code !== 'string' || code.length > 8)
    throw new PickleFault('a type of numpy', kindOf(code ?? null));
  return { kind: 'numpy type', code };
}

const isTensor = (value: PickleValue | undefined): value is TorchTensor =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'tensor';

function parameter([data]: readonly PickleValue[]): PickleValue {
  if (!isTensor(data)) throw new PickleFault('a parameter made of a tensor', kindOf(data ?? null));
  return data;
}

/** As a tensor, and its type behind the hooks. */
function typedTensor(args: readonly PickleValue[]): TorchTensor {
  const type = args[6];
  const name = type instanceof Global ? type.name.replace(/^torch\./, '') : '';
  const known = TORCH_TYPES.find((one) => one === name);
  if (known === undefined)
    throw new PickleFault(`a tensor of ${TORCH_TYPES.join(', ')}`, name || kindOf(type ?? null));
  return tensor(args, known);
}

const noCall = (name: string) => (): never => {
  throw new PickleFault('a value', `a call of ${name}`);
};

const makers: Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue>> = {
  'torch._utils._rebuild_tensor_v2': (args) => tensor(args),
  'torch._utils._rebuild_tensor_v3': typedTensor,
  'torch._utils._rebuild_parameter': parameter,
  'collections.OrderedDict': mapping,
  'collections.defaultdict': ([, ...rest]) => mapping(rest),
  'torch.Size': listed,
  'builtins.set': (args) => new Set(listed(args)),
  '__builtin__.set': (args) => new Set(listed(args)),
  // A device is told by its name: `cuda:0`.
  'torch.device': (args) => args.map(String).join(':'),
  '_codecs.encode': encoded,
  'numpy.dtype': typeOfNumpy,
  'numpy.core.multiarray.scalar': numpyNumber,
  'numpy._core.multiarray.scalar': numpyNumber,
};

/** Names that stand for themselves. */
const words = [
  ...TORCH_TYPES.map((type) => `torch.${type}`),
  ...['uint16', 'uint32', 'uint64', 'complex64', 'complex128'].map((type) => `torch.${type}`),
  ...['Float', 'Double', 'Half', 'BFloat16', 'Long', 'Int', 'Short', 'Char', 'Byte', 'Bool'].map(
    (kind) => `torch.${kind}Storage`,
  ),
  'torch.storage.UntypedStorage',
  'torch.UntypedStorage',
  ...['dict', 'list', 'int', 'float'].flatMap((name) => [`builtins.${name}`, `__builtin__.${name}`]),
];

const table = new Map<string, Global>([
  ...Object.entries(makers).map(([name, make]) => [name, new Global(name, make)] as const),
  ...words.map((name) => [name, new Global(name, noCall(name))] as const),
]);
