// What may come of a damaged file: it is read, and what was read is sound; or it is refused in one clear sentence.

const ownErrors = new Set(['HalomeshError', 'ImagingError']);
/** The words of the language and its libraries, which say nothing about a file. */
const foreign =
  /unexpected error|Invalid typed array|Invalid input|undefined|\[object |native code|=> |not a function|not iterable|Cannot (read|set|convert)|call stack|out of (range|memory)|ERR_[A-Z]/;
const control = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u;
const LONGEST = 1500;

/**
 * What is unclear in an error; undefined where it is clear. `names`: what its text must contain so that the reader knows what to look
 * at, a file or a setting; `lines`: whether it may list several faults, one a line.
 */
export function unclear(error, { names, lines = false }) {
  if (!ownErrors.has(error?.name)) return `${error?.name ?? typeof error}: ${error?.message ?? error}`;
  const text = error.message;
  if (control.test(lines ? text.replaceAll('\n', '') : text))
    return `control characters: ${JSON.stringify(text)}`;
  if (foreign.test(text)) return text;
  if (text.length > LONGEST) return `${text.length} characters: ${text.slice(0, 300)}`;
  if (!(typeof names === 'string' ? text.includes(names) : names.test(text)))
    return `it names no file: ${text}`;
  return undefined;
}

/** Texts of one fault of the program have one kind: without the numbers, names and values of the mutant. */
export function kindOf(text) {
  const general = text.replace(/(SyntaxError|Invalid input|found |A{50}).*/s, '$1');
  return general.replaceAll(/"[^"]*"|\/\S+|[\d.]+/g, '*').slice(0, 100);
}
