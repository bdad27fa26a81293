import { ImagingError } from '../volume/errors.ts';
import { paperWindow } from '../volume/intensity-window.ts';
import type { PrepareOptions } from '../volume/prepared-case.ts';
import type { StoreOptions } from './format.ts';

/** Throws ImagingError where a store was prepared in another way than it is asked for, or lacks a part of the window. */
export function checkPrepared(file: string, stored: StoreOptions, wanted: PrepareOptions): void {
  const { lower, upper } = wanted.window ?? paperWindow;
  const { window = { lower, upper } } = stored;
  const inside = window.lower <= lower && upper <= window.upper;
  const now = describe({ ...wanted, window: inside ? stored.window : { lower, upper } });
  const then = describe(stored);
  if (now === then) return;
  throw otherPreparation(file, now, then);
}

/** The error of a store that was prepared in another way. */
export function otherPreparation(file: string, expected: string, found: string): ImagingError {
  return new ImagingError({
    file,
    field: 'preprocessing',
    expected,
    found,
    hint: 'Give the settings of the store, or preprocess the data set anew into another one.',
  });
}

/** `spacing 3 mm, window -512 to 512 HU` */
export function describe({ spacing, size, multipleOf = 1, window }: PrepareOptions): string {
  const parts = [
    spacing === undefined ? [] : `spacing ${spacing} mm`,
    size === undefined ? [] : `size ${size}`,
    spacing === undefined && size === undefined ? 'the voxels of the file' : [],
    multipleOf === 1 ? [] : `multiples of ${multipleOf}`,
    window === undefined ? [] : `window ${window.lower} to ${window.upper} HU`,
  ];
  return parts.flat().join(', ');
}
