import { printable, printableLines } from '../../core/index.ts';

// All that commands write for people goes through here: names, ids and texts of files must not move the cursor of a terminal.

/** Writes a text, of one line or more, to standard output. */
export function say(text: string): void {
  console.log(printableLines(text));
}

/** Writes a text to standard error. */
export function tell(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`);
}

/** Writes a value as JSON to standard output. */
export function sayJson(value: unknown): void {
  console.log(jsonText(value));
}

/** JSON, indented; characters that a terminal would obey are written as their numbers, which JSON reads back. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(/[^\n\x20-\x7e]/gu, (character) => {
    if (printable(character) === character) return character;
    return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  });
}
