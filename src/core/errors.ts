import { printable, shortened } from './printable.ts';

/** What an error says: where it arose, what was expected, what came, and what to do next. */
export interface Complaint {
  /** The file or folder at fault, if what complains is something in it. */
  readonly file?: string;
  /** Operation, file, flag, or field of a file that complains, e.g. `conv "down0/conv1"`. */
  readonly where: string;
  /** The problem in one sentence; names dimensions and fields. Absent where what was expected and found says it. */
  readonly problem?: string;
  readonly expected?: string;
  readonly found?: string;
  /** What the reader can do about it. */
  readonly hint?: string;
}

/**
 * Every error that halomesh raises on purpose. Its message is built from a {@link Complaint}:
 * `FILE: WHERE: PROBLEM; expected EXPECTED, found FOUND. HINT`, without what is absent.
 */
export class HalomeshError extends Error {
  override readonly name: string = 'HalomeshError';
  readonly complaint: Complaint;

  constructor(complaint: Complaint, options?: ErrorOptions) {
    super(formatComplaint(complaint), options);
    this.complaint = complaint;
  }
}

/** Raises a {@link HalomeshError}. Usable in expressions. */
export function fail(complaint: Complaint, options?: ErrorOptions): never {
  throw new HalomeshError(complaint, options);
}

/** Characters of a name or value in a message at most: none that is meant for people has more. */
const LONGEST_PART = 600;

/** A name or value in an error's message, on one line: files and what they hold must neither break nor fill it. */
const messagePart = (text: string): string => printable(shortened(text, LONGEST_PART));

function formatComplaint({ file, where, problem, expected, found, hint }: Complaint): string {
  const sentence = (text: string): string => printable(text.replace(/\s*\n\s*/g, ' '));
  const parts = [file, where].flatMap((part) => (part === undefined ? [] : [messagePart(part)]));
  let text = [...parts, ...(problem === undefined ? [] : [sentence(problem)])].join(': ');
  const after = problem === undefined ? ':' : ';';
  if (expected !== undefined) text += `${after} expected ${messagePart(expected)}`;
  if (found !== undefined) text += `${expected === undefined ? after : ','} found ${messagePart(found)}`;
  if (hint !== undefined) text += `. ${sentence(hint)}`;
  return text;
}
