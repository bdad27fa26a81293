// Reads a TypeScript file far enough for the checks: where its comments and strings are, and what it imports.

const regexMayFollow =
  /(?:^|[([{,;:=!&|?+\-*%<>~^}]|\b(?:return|typeof|case|in|of|void|delete|yield|await))$/;

/** `code` is the text with comments and the insides of strings blanked; `strings` are the plain string literals. */
export function scan(text) {
  const code = text.split('');
  const strings = [];
  const blank = (from, to) => {
    for (let i = from; i < to; i++) if (code[i] !== '\n') code[i] = ' ';
  };
  /** The end of what starts at `from` and is closed by `close`, passing over escapes. */
  const endOf = (from, close) => {
    let i = from;
    while (i < text.length && text[i] !== close && text[i] !== '\n') i += text[i] === '\\' ? 2 : 1;
    return Math.min(i, text.length);
  };
  const regexEnd = (from) => {
    let inClass = false;
    let i = from;
    for (; i < text.length && text[i] !== '\n' && (inClass || text[i] !== '/'); i++) {
      if (text[i] === '\\') i++;
      else if (text[i] === '[') inClass = true;
      else if (text[i] === ']') inClass = false;
    }
    return Math.min(i, text.length);
  };
  /** Blanks template text from `from` up to its backtick or the next `${`; returns the position after that. */
  const templatePart = (from, braces) => {
    let i = from;
    while (i < text.length && text[i] !== '`' && !(text[i] === '$' && text[i + 1] === '{')) {
      i += text[i] === '\\' ? 2 : 1;
    }
    blank(from, Math.min(i, text.length));
    if (text[i] !== '$') return i + 1;
    braces.push(0);
    return i + 2;
  };

  /** What decides whether a slash starts a regular expression or divides. */
  const codeBefore = (at) =>
    code
      .slice(Math.max(0, at - 60), at)
      .join('')
      .trimEnd();

  const braces = []; // for each template that we are inside of: how many { of its ${...} are open
  let i = 0;
  while (i < text.length) {
    const c = text[i];
    const start = i;
    if (c === '/' && text[i + 1] === '/') {
      const end = text.indexOf('\n', i);
      i = end < 0 ? text.length : end;
      blank(start, i);
    } else if (c === '/' && text[i + 1] === '*') {
      const end = text.indexOf('*/', i + 2);
      i = end < 0 ? text.length : end + 2;
      blank(start, i);
    } else if (c === "'" || c === '"') {
      const end = endOf(i + 1, c);
      strings.push({ start, value: text.slice(i + 1, end) });
      blank(i + 1, end);
      i = end + 1;
    } else if (c === '`') {
      i = templatePart(i + 1, braces);
    } else if (c === '/' && regexMayFollow.test(codeBefore(i))) {
      const end = regexEnd(i + 1);
      blank(i + 1, end);
      i = end + 1;
    } else {
      if (c === '{' && braces.length > 0) braces[braces.length - 1]++;
      const closesTemplate = c === '}' && braces.at(-1) === 0;
      if (c === '}' && braces.length > 0 && !closesTemplate) braces[braces.length - 1]--;
      i++;
      if (closesTemplate) {
        braces.pop();
        i = templatePart(i, braces);
      }
    }
  }
  return { code: code.join(''), strings };
}

const lineAt = (text, position) => text.slice(0, position).split('\n').length;

/**
 * Every import of a scanned file: { specifier, line, loads, typeOnly }; `loads` is false for a mere address (a worker's file),
 * `typeOnly` is true where nothing of the import is left at run time.
 */
export function importsOf({ code, strings }) {
  const found = [];
  for (const { start, value } of strings) {
    const before = code.slice(Math.max(0, start - 80), start);
    const line = () => lineAt(code, start);
    if (/(?:\bfrom|\bimport|\bimport\s*\()\s*$/.test(before)) {
      const statement =
        code.slice(0, start).match(/\b(?:import|export)\b(?:(?!\b(?:import|export)\b)[\s\S])*$/)?.[0] ?? '';
      found.push({ specifier: value, line: line(), loads: true, typeOnly: /^\w+\s+type\b/.test(statement) });
    } else if (/\bnew\s+URL\s*\(\s*$/.test(before) && /\.[cm]?[jt]s$/.test(value)) {
      found.push({ specifier: value, line: line(), loads: false, typeOnly: false });
    }
  }
  return found;
}

/** How many tests of a scanned file are skipped, or run only under a condition. */
export function skipsOf({ code }) {
  const calls = code.match(/\.(?:skip|todo|skipIf|runIf)\b(?=\s*[(.`])|\bx(?:it|test|describe)\s*\(/g) ?? [];
  const options = code.match(/\b(?:skip|todo)\s*:\s*true\b/g) ?? [];
  return calls.length + options.length;
}
