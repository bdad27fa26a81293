import { messagePart, printable } from '../../core/index.ts';

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

/**
 * The one error of this folder: every bad file, dataset or argument is reported as
 * `FILE: FIELD: expected EXPECTED, found FOUND. HINT`.
 */
export class ImagingError extends Error implements ImagingProblem {
  readonly file: string | undefined;
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  readonly hint: string | undefined;

  constructor(problem: ImagingProblem, options?: ErrorOptions) {
    super(messageOf(problem), options);
    this.name = 'ImagingError';
    this.file = problem.file;
    this.field = problem.field;
    this.expected = problem.expected;
    this.found = problem.found;
    this.hint = problem.hint;
  }
}

function messageOf(problem: ImagingProblem): string {
  const where = [problem.file, problem.field].flatMap((part) =>
    part === undefined ? [] : [messagePart(part)],
  );
  const what = `${where.join(': ')}: expected ${messagePart(problem.expected)}, found ${messagePart(problem.found)}`;
  return problem.hint === undefined ? what : `${what}. ${printable(problem.hint)}`;
}
