import { ImagingError } from '../volume/errors.ts';
import type { IntensityWindow } from '../volume/intensity-window.ts';
import type { Normalization } from '../volume/normalization.ts';
import { normalizationsOf, type PrepareOptions } from '../volume/prepared-case.ts';
import type { CaseDescription } from './format.ts';

type StoredChannels = Pick<CaseDescription, 'preprocessing' | 'channels'>;

/** Throws ImagingError where a case was prepared in another way than it is asked for, or its channels lack what is asked of them. */
export function checkPrepared(
  file: string,
  { preprocessing, channels }: StoredChannels,
  wanted: PrepareOptions,
): void {
  const [now, then] = [
    { ...wanted, window: undefined },
    { ...preprocessing, window: undefined },
  ].map(describe);
  if (now !== then) throw otherPreparation(file, now, then);
  const normalizations = normalizationsOf(wanted);
  const kept = channels ?? [{ window: preprocessing.window }];
  if (kept.length !== normalizations.length)
    throw otherPreparation(file, channelCount(normalizations.length), channelCount(kept.length));
  for (const [n, { window }] of kept.entries()) {
    const normalization = normalizations[n];
    if (window === undefined || reads(normalization, window)) continue;
    const of = kept.length > 1 ? ` of channel ${n}` : '';
    const { kind } = normalization;
    const asked =
      kind === 'window' || kind === 'clip'
        ? describe({ ...wanted, window: normalization })
        : `all values${of}, for ${kind}`;
    throw otherPreparation(file, asked, `${describe(preprocessing)}${of}`);
  }
}

const channelCount = (n: number): string => (n === 1 ? '1 channel' : `${n} channels`);

/** Whether a channel of which a window is kept has all that a normalisation looks at; its statistics are those of all values. */
function reads(normalization: Normalization, { lower, upper }: IntensityWindow): boolean {
  if (normalization.kind !== 'window' && normalization.kind !== 'clip') return false;
  return lower <= normalization.lower && normalization.upper <= upper;
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
