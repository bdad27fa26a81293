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

/** A word that a shell takes as one. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
