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
  ENOSPC: 'The disk is full: free some space, or write to another disk. Nothing was left behind.',
  EDQUOT:
    'Your share of the disk is used up: free some space, or write to another disk. Nothing was left behind.',
  EACCES: 'Choose a folder that you may write to.',
  EROFS: 'The disk is read-only: write to another one.',
};
