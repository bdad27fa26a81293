import { launched } from '../../machine/mpi/launched.ts';
import { tell } from './say.ts';

/** True where this process prints: it was started alone, or as rank 0. */
export const talks = (): boolean => (launched()?.rank ?? 0) === 0;

/** Says what split was chosen and why. */
export function noteSplit(text: string): void {
  if (talks()) tell(`split ${text}`);
}
