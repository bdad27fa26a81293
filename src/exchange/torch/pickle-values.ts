import type { TorchStorage, TorchTensor } from './tensors.ts';

/** What a pickle can hold here: plain values, and tensors. Lists and tuples are arrays. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | Global
  | TorchTensor
  | TorchStorage
  | NumpyType;

/** The type of a numpy number: a letter and bytes, such as `f8`. */
export interface NumpyType {
  readonly kind: 'numpy type';
  readonly code: string;
}

/** A name that a pickle imports, and the plain value that stands here for a call of it. */
export class Global {
  readonly name: string;
  readonly make: (args: readonly PickleValue[]) => PickleValue;

  constructor(name: string, make: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.make = make;
  }
}

/** What a pickle means beyond plain values. Each may throw {@link PickleFault}. */
export interface PickleHost {
  /** What stands for an import. */
  find(module: string, name: string): Global;
  /** What stands for something that is kept outside of the pickle. */
  persistent(id: PickleValue): PickleValue;
  /** Sets the state of a value. */
  build(value: PickleValue, state: PickleValue): void;
}

/** What is wrong with a pickle. */
export class PickleFault extends Error {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}, found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

/** An import that is no part of plain weights. */
export class ForeignImport extends PickleFault {
  readonly import: string;

  constructor(name: string) {
    super('tensors, numbers, texts, lists and dictionaries alone', name);
    this.import = name;
  }
}
