import { printable, shortened } from './printable.ts';

/** What an error says: where it arose, what was expected, what came, and what to do next. */
export interface Complaint {
  /** Operation, file or flag that complains, e.g. `conv "down0/conv1"`. */
  readonly where: string;
  /** The problem in one sentence; names dimensions and fields. */
  readonly problem: string;
  readonly expected?: string;
  readonly found?: string;
  /** What the reader can do about it. */
  readonly hint?: string;
}

/** Every error that halomesh raises on purpose. Its message is built from a {@link Complaint}. */
export class HalomeshError extends Error {
  override readonly name = 'HalomeshError';
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
export const messagePart = (text: string): string => printable(shortened(text, LONGEST_PART));

function formatComplaint({ where, problem, expected, found, hint }: Complaint): string {
  const sentence = (text: string): string => printable(text.replace(/\s*\n\s*/g, ' '));
  let text = `${messagePart(where)}: ${sentence(problem)}`;
  if (expected !== undefined) text += `; expected ${messagePart(expected)}`;
  if (found !== undefined) text += `${expected === undefined ? ';' : ','} found ${messagePart(found)}`;
  if (hint !== undefined) text += `. ${sentence(hint)}`;
  return text;
}
