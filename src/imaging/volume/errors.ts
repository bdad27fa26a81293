import { HalomeshError } from '../../core/index.ts';

/** What went wrong with a file or an argument, in the parts that a reader of the message needs. */
export interface ImagingProblem {
  /** The file or folder at fault; absent for values that came from memory. */
  readonly file?: string;
  /** The header field, key or property at fault. */
  readonly field: string;
  /** What would have been right. */
  readonly expected: string;
  /** What was there. */
  readonly found: string;
  /** What to do about it, as a sentence. */
  readonly hint?: string;
}

/** A HalomeshError of a file, data set or argument: `FILE: FIELD: expected EXPECTED, found FOUND. HINT`. */
export class ImagingError extends HalomeshError implements ImagingProblem {
  override readonly name: string = 'ImagingError';
  readonly file: string | undefined;
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  readonly hint: string | undefined;

  constructor({ field, ...problem }: ImagingProblem, options?: ErrorOptions) {
    super({ ...problem, where: field }, options);
    this.file = problem.file;
    this.field = field;
    this.expected = problem.expected;
    this.found = problem.found;
    this.hint = problem.hint;
  }
}
