import { CommanderError } from 'commander';
import { HalomeshError, printable, printableLines } from '../../core/index.ts';
import { systemErrorCode, systemErrorText } from '../../files/index.ts';
import { UsageError } from '../flags/parse.ts';

/** Exit codes of the command. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A run that the user ended with Ctrl-C, after it was saved. */
export class Interrupted extends Error {
  /** What to exit with. */
  readonly code: number;

  constructor(message: string, code: number = EXIT.interrupted) {
    super(message);
    this.code = code;
  }
}

/** Data with faults that have been told. */
export class Faulty extends Error {}

/** An error as one line, without `halomesh: `. */
export function errorLine(error: unknown): string {
  return printable(
    textOf(error)
      .replace(/\s*\n\s*/g, ' ')
      .trim(),
  );
}

function textOf(error: unknown): string {
  if (error instanceof HalomeshError || error instanceof Interrupted || error instanceof Faulty)
    return error.message;
  if (isZodError(error)) {
    const [issue] = error.issues;
    const key = issue.path.join('.');
    return key === '' ? issue.message : `"${key}": ${issue.message}`;
  }
  const system = systemErrorText(error);
  if (system !== undefined) return system;
  if (error instanceof Error && /^E[A-Z]+$/.test(systemErrorCode(error))) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `unexpected error: ${message}. Set HALOMESH_DEBUG=1 to see where it arose, and please report it`;
}

/** Told by its form, as zod takes long to load and has nothing to do with most errors. */
function isZodError(error: unknown): error is {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
} {
  return error instanceof Error && error.name === 'ZodError' && 'issues' in error;
}

/** Ends a command that has said itself what is wrong, with an exit code. */
export class Told extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`ended with ${code}`);
    this.code = code;
  }
}

/** Writes an error to stderr and returns the exit code; with HALOMESH_DEBUG also where the error arose. */
export function reportError(error: unknown, write: (text: string) => void): number {
  if (error instanceof Told) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  write(`halomesh: ${errorLine(error)}\n`);
  if (error instanceof Interrupted) return error.code;
  if (process.env.HALOMESH_DEBUG && error instanceof Error) {
    write(`${printableLines(error.stack ?? '')}\n`);
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
      write(`caused by ${printableLines(cause.stack ?? cause.message)}\n`);
  }
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
