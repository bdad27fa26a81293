/** The code of a system error (`ENOENT`, `Z_DATA_ERROR`...), or its text where it has none. */
export function systemErrorCode(error: unknown): string {
  if (error instanceof Error) {
    return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  }
  return String(error);
}

/** What to do about a file that cannot be written, by the code of the system's error. */
export const writeHints: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'Make the folder first.',
  ENOTDIR: 'Choose another path.',
  EISDIR: 'Give the name of a file.',
  EEXIST: 'Choose another name.',
  ELOOP: 'Choose another path.',
  ENAMETOOLONG: 'Choose a shorter name.',
  EPERM: 'Choose another folder.',
  ENOSPC: 'Free some space, or write to another disk. Nothing was left behind.',
  EDQUOT: 'Free some space, or write to another disk. Nothing was left behind.',
  EACCES: 'Choose a folder that you may write to.',
  EROFS: 'Write to another one.',
};

/** What the codes of the system mean to somebody who gave the name of a file. */
const meanings: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'what stands as a folder in this path is a file',
  EISDIR: 'it is a folder where a file is expected',
  EFTYPE: 'it is a pipe or a device where a file is expected',
  EEXIST: 'something of this name is there already',
  EACCES: 'you may not do that',
  EPERM: 'the system does not allow that',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your share of the disk is used up',
  EMFILE: 'too many files are open (see ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
  ENOTEMPTY: 'the folder is not empty',
  EBUSY: 'another program uses it',
  EIO: 'the disk reports a fault',
  EXDEV: 'the two names lie on different disks',
};

/** What an error of the system means, with its code for whoever looks it up; the code or text of errors without a meaning. */
export function systemErrorReason(error: unknown): string {
  const code = systemErrorCode(error);
  const meaning = meanings[code];
  return meaning === undefined ? code : `${meaning} (${code})`;
}

const readHints: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'Check the path.',
  EACCES: 'Ask for the right to read it.',
  ENOTDIR: 'Check the path.',
};

const verbs: Readonly<Record<string, string | undefined>> = {
  open: 'opened',
  read: 'read',
  write: 'written',
  stat: 'found',
  lstat: 'found',
  access: 'found',
  scandir: 'listed',
  opendir: 'listed',
  mkdir: 'made',
  rename: 'renamed',
  unlink: 'removed',
  rmdir: 'removed',
  copyfile: 'copied',
};

/** An error of the system in words: which path, what was tried, what is wrong, what to do. Undefined for other errors. */
export function systemErrorText(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, syscall } = error as { code?: string; path?: string; syscall?: string };
  if (code === undefined || syscall === undefined) return undefined;
  const meaning = meanings[code];
  if (meaning === undefined) return undefined;
  const verb = verbs[syscall];
  const tried = verb === undefined ? `${syscall} failed` : `cannot be ${verb}`;
  const changes = ['mkdir', 'rename', 'unlink', 'rmdir', 'write'].includes(syscall);
  const hint = changes ? writeHints[code] : readHints[code];
  return `${path ?? 'a file'}: ${tried}: ${meaning} (${code})${hint === undefined ? '' : `. ${hint}`}`;
}

/** What the system says about a file that cannot be written, in the parts of an error of a file. */
export const writeProblem = (file: string, error: unknown) => ({
  file,
  field: 'file',
  expected: 'to be written',
  found: systemErrorReason(error),
  hint: writeHints[systemErrorCode(error)],
});
