import path from 'node:path';

/** How the user calls this program: `halomesh` where it is installed, `npx halomesh` in a clone. */
export function commandName(argv = process.argv, env = process.env): string {
  const installed = path.basename(argv[1] ?? '') === 'halomesh' && env.npm_command !== 'exec';
  return installed ? 'halomesh' : 'npx halomesh';
}

/** A path from the working folder, as a user would type it. */
export function relative(file: string): string {
  const short = path.relative('', file) || '.';
  return short.startsWith(`..${path.sep}..`) ? file : short;
}

/** A word that a shell takes as one, on one line. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  // Control characters as bash, zsh and other shells of today read them.
  if (/\p{Cc}/u.test(word)) {
    const escaped = word.replace(/[\\']/g, '\\$&').replace(/\p{Cc}/gu, (c) => `\\u${hex(c)}`);
    return `$'${escaped}'`;
  }
  return `'${word.replaceAll("'", "'\\''")}'`;
}

const hex = (character: string): string => character.charCodeAt(0).toString(16).padStart(4, '0');
