/** Brackets within brackets in a JSON text at most: what halomesh reads has fewer than ten. */
const mostNested = 200;

/**
 * The value of a JSON text; `__proto__` is a key like any other. Throws SyntaxError, also where brackets are nested so deep that
 * whoever walks through the value would overflow the stack.
 */
export function parseJson(text: string): unknown {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === backslash) at++;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === openBracket || code === openBrace) {
      if (++depth > mostNested) throw new SyntaxError(`more than ${mostNested} brackets within brackets`);
    } else if (code === closeBracket || code === closeBrace) depth--;
  }
  return JSON.parse(text);
}

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
