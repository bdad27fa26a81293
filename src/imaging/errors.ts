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
  const where = problem.file === undefined ? problem.field : `${problem.file}: ${problem.field}`;
  const what = `${where}: expected ${problem.expected}, found ${problem.found}`;
  return problem.hint === undefined ? what : `${what}. ${problem.hint}`;
}

/** The code of a system error (`ENOENT`, `Z_DATA_ERROR`...), or its text where it has none. */
export function systemErrorCode(error: unknown): string {
  if (error instanceof Error) {
    return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  }
  return String(error);
}

/** What to do about a file that cannot be written, by the code of the system's error. */
export const writeHints: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'Make the folder first.',
  ENOSPC: 'The disk is full: free some space, or write to another disk. Nothing was left behind.',
  EDQUOT:
    'Your share of the disk is used up: free some space, or write to another disk. Nothing was left behind.',
  EACCES: 'Choose a folder that you may write to.',
  EROFS: 'The disk is read-only: write to another one.',
};
