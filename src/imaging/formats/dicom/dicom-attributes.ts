import dicomParser, { type DataSet } from 'dicom-parser';
import { ImagingError } from '../../volume/errors.ts';

// The parser throws texts, errors, and objects with both an error and what was read until then. Nothing but this file calls it.

/** What a parser made of bytes: a data set, or what is wrong, with the elements before it. */
export type Parsed =
  | { readonly data: DataSet; readonly problem?: undefined }
  | { readonly problem: string; readonly data?: DataSet };

/** The tag of the pixels, where parsing ends. */
export const pixelTag = 'x7fe00010';

/** Parses a file of DICOM up to its pixels. Without preamble and meta header it needs to be told the transfer syntax. */
export function parseDicom(bytes: Uint8Array, syntax: string | undefined): Parsed {
  // What is deflated comes unpacked.
  const inflater = (unpacked: Uint8Array) => unpacked;
  return guarded(() =>
    dicomParser.parseDicom(bytes, { untilTag: pixelTag, TransferSyntaxUID: syntax, inflater }),
  );
}

/** The transfer syntax that a meta header names, and where the data set begins. */
export function parseMeta(bytes: Uint8Array): { readonly syntax: string; readonly end: number } | undefined {
  const { data } = guarded(() => dicomParser.readPart10Header(bytes));
  const end = data !== undefined && 'position' in data ? data.position : undefined;
  if (data === undefined || typeof end !== 'number') return undefined;
  const syntax = guardedValue(() => data.string('x00020010')?.trim());
  return 'value' in syntax && syntax.value !== undefined ? { syntax: syntax.value, end } : undefined;
}

/** The attributes of a data set, read with errors that name the file and the tag. */
export class Attributes {
  readonly #file: string;
  readonly #data: DataSet;

  constructor(file: string, data: DataSet) {
    this.#file = file;
    this.#data = data;
  }

  has(tag: string): boolean {
    return this.#data.elements[tag] !== undefined;
  }

  /** The tags of all elements. */
  tags(): readonly string[] {
    return Object.keys(this.#data.elements);
  }

  /** Where the value of an element lies in the parsed bytes. */
  place(tag: string): { offset: number; length: number; ofUndefinedLength: boolean } | undefined {
    const element = this.#data.elements[tag];
    if (element === undefined) return undefined;
    const { dataOffset: offset, length } = element;
    return { offset, length, ofUndefinedLength: element.hadUndefinedLength === true };
  }

  /** The bytes of a value as they are stored; undefined where there is none. */
  raw(tag: string): Uint8Array | undefined {
    const place = this.place(tag);
    if (place === undefined || place.length === 0 || place.ofUndefinedLength) return undefined;
    return this.#data.byteArray.slice(place.offset, place.offset + place.length);
  }

  /** The items of a sequence; none where it is absent or empty. */
  items(tag: string): readonly Attributes[] {
    const items = this.#data.elements[tag]?.items ?? [];
    return items.flatMap(({ dataSet }) =>
      dataSet === undefined ? [] : [new Attributes(this.#file, dataSet)],
    );
  }

  /** All values of an attribute as text, with backslashes between; empty where there is none. */
  all(tag: string): string {
    return this.#read(tag, () => this.#data.string(tag)) ?? '';
  }

  /** Value number n as text without spaces at its ends; empty where there is none. */
  text(tag: string, n = 0): string {
    return this.all(tag).split('\\')[n]?.trim() ?? '';
  }

  /** Number n of a decimal string; NaN where it is no number. */
  decimal(tag: string, n = 0): number | undefined {
    const text = this.text(tag, n);
    return text === '' ? undefined : Number(text);
  }

  /** A single number of 16 bits. */
  uint16(tag: string): number | undefined {
    return this.#data.elements[tag]?.length === 2 ? this.#read(tag, () => this.#data.uint16(tag)) : undefined;
  }

  /** All numbers of 32 bits. */
  uint32s(tag: string): readonly number[] {
    const count = Math.floor((this.#data.elements[tag]?.length ?? 0) / 4);
    return Array.from({ length: count }, (_, n) =>
      this.#read(tag, () => this.#data.uint32(tag, n) ?? Number.NaN),
    );
  }

  /** Two numbers of 16 bits that name an element: its tag. */
  tagValue(tag: string): string | undefined {
    return this.#data.elements[tag]?.length === 4
      ? this.#read(tag, () => this.#data.attributeTag(tag))
      : undefined;
  }

  /** A single number of float64. */
  float64(tag: string): number | undefined {
    return this.#data.elements[tag]?.length === 8 ? this.#read(tag, () => this.#data.double(tag)) : undefined;
  }

  /** All numbers of float64. */
  float64s(tag: string): readonly number[] {
    const count = Math.floor((this.#data.elements[tag]?.length ?? 0) / 8);
    return Array.from({ length: count }, (_, n) =>
      this.#read(tag, () => this.#data.double(tag, n) ?? Number.NaN),
    );
  }

  #read<T>(tag: string, read: () => T): T {
    const found = guardedValue(read);
    if ('value' in found) return found.value;
    const field = `(${tag.slice(1, 5)},${tag.slice(5)})`.toUpperCase();
    const hint = 'Copy the file again, or take it out of the folder.';
    throw new ImagingError({
      file: this.#file,
      field,
      expected: 'a sound attribute',
      found: found.problem,
      hint,
    });
  }
}

function guarded(parse: () => DataSet): Parsed {
  const found = guardedValue(parse);
  return 'value' in found ? { data: found.value } : { problem: found.problem, data: found.partial };
}

function guardedValue<T>(
  read: () => T,
): { readonly value: T } | { readonly problem: string; readonly partial?: DataSet } {
  try {
    return { value: read() };
  } catch (error) {
    const both = typeof error === 'object' && error !== null && 'exception' in error;
    const cause = both ? error.exception : error;
    // A TypeError is not said by the parser: damage led it where it did not look.
    const isSaid = !(cause instanceof TypeError);
    const text = isSaid ? (cause instanceof Error ? cause.message : String(cause)) : 'damaged elements';
    const partial = both && 'dataSet' in error ? (error.dataSet as DataSet) : undefined;
    return { problem: text.replace(/^dicomParser[.:]\w+: /, ''), partial };
  }
}
