import { ImagingError } from '../errors.ts';
import type { PrepareOptions } from '../prepared-case.ts';
import { paperWindow } from '../window.ts';
import type { StoreOptions } from './format.ts';

/** Throws ImagingError where a store was prepared in another way than it is asked for. */
export function checkPrepared(file: string, stored: StoreOptions, wanted: PrepareOptions): void {
  const now = describe({ ...wanted, window: wanted.window ?? paperWindow });
  const then = describe(stored);
  if (now === then) return;
  throw new ImagingError({
    file,
    field: 'preprocessing',
    expected: now,
    found: then,
    hint: 'Give the settings of the store, or preprocess the data set anew into another one.',
  });
}

/** `spacing 3 mm, window -512 to 512 HU` */
export function describe({
  spacing,
  size,
  multipleOf = 1,
  window,
}: PrepareOptions & Pick<StoreOptions, 'window'>): string {
  const parts = [
    spacing === undefined ? [] : `spacing ${spacing} mm`,
    size === undefined ? [] : `size ${size}`,
    spacing === undefined && size === undefined ? 'the voxels of the file' : [],
    multipleOf === 1 ? [] : `multiples of ${multipleOf}`,
    `window ${window.lower} to ${window.upper} HU`,
  ];
  return parts.flat().join(', ');
}
