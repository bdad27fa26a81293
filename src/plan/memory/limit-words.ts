// Limits of memory as they are said and typed.

/** How exactly the smallest limit is found, as a share of what is not fixed. */
export const EXACTNESS = 0.02;

/** From here on limits are said in hundredths of a GiB, bytes. */
const LARGE = 4 * 2 ** 30;

/** The next limit from so many bytes on that can be said in full, bytes. */
export function sayableLimit(bytes: number): number {
  if (bytes < LARGE) return Math.ceil(bytes / 2 ** 20) * 2 ** 20;
  return Math.floor((Math.ceil((bytes / 2 ** 30) * 100) / 100) * 2 ** 30);
}

/** Rounded up, in the units that --memory-limit takes. */
export function showLimit(bytes: number): string {
  if (bytes < LARGE) return `${Math.ceil(bytes / 2 ** 20)}MiB`;
  return `${Math.ceil((bytes / 2 ** 30) * 100 - 1e-6) / 100}GiB`;
}
