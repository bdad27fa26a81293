// Names, ids and texts of files reach the terminal, logs and tables. What would move the cursor, ring, recolour, or turn the
// direction of a line there is written out instead.

/** Control characters (C0, DEL, C1), line separators, and marks that turn or hide the direction of text. */
const unprintable = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;

const named: Readonly<Record<string, string | undefined>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A text on one line as a terminal can show it: `a<ESC>[2Jb` becomes `a\x1b[2Jb`. */
export function printable(text: string): string {
  return text.replace(unprintable, written);
}

/** As {@link printable}, but lines stay lines. */
export function printableLines(text: string): string {
  return text.replace(unprintable, (character) => (character === '\n' ? character : written(character)));
}

/** A text of at most `most` characters: of a longer one the beginning and the end, so that a path keeps the name of its file. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor((most - 3) / 3);
  return `${text.slice(0, most - 3 - end)}...${text.slice(text.length - end)}`;
}

/** Characters that a value has in an error. */
const MOST_SHOWN = 80;

/** A value as words after "found", on at most 80 characters, however large it is and however deep its lists lie in one another. */
export function shownValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(beginningOf(value, MOST_SHOWN)) ?? String(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN - 3)}...` : text;
}

/** What of a value can be among its first characters: each level of it, and each part, takes one at least. */
function beginningOf(value: unknown, levels: number): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return 0;
  if (Array.isArray(value)) return value.slice(0, MOST_SHOWN).map((part) => beginningOf(part, levels - 1));
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return value;
  const parts = Object.entries(value).slice(0, MOST_SHOWN);
  return Object.fromEntries(parts.map(([key, part]) => [key, beginningOf(part, levels - 1)]));
}

function written(character: string): string {
  const code = character.codePointAt(0)!;
  const short = named[character];
  if (short !== undefined) return short;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
