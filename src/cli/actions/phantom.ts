import path from 'node:path';
import { writePhantom } from '../../imaging/index.ts';
import { writeSlides } from '../../imaging/synthetic/phantom-slides.ts';
import { UsageError } from '../flags/parse.ts';
import { showProgress } from '../terminal/progress.ts';
import { say } from '../terminal/say.ts';
import { workUnread } from '../terminal/unread.ts';

export interface Flags {
  readonly out: string;
  readonly size?: number;
  readonly cases: number;
  readonly spacing?: number;
  readonly modality: 'ct' | 'mr' | 'pathology';
  readonly mpp?: number;
  readonly tissue?: number;
  readonly channels?: number;
  readonly regions?: boolean;
  readonly ignore?: boolean;
  readonly healthy?: boolean;
  readonly seed: number;
  readonly overwrite?: boolean;
}

/** Voxels along each side of a volume at most, and pixels of a slide, and how many there are by default. */
const VOLUME = { most: 1024, usual: 128 };
const SLIDE = { usual: 4096 };

/** Runs `halomesh phantom`. */
export async function phantomAction(flags: Flags): Promise<void> {
  workUnread();
  checkFlags(flags);
  const { modality, ...others } = flags;
  const folder = path.relative('', flags.out) || '.';
  const told = `${flags.cases} ${flags.cases === 1 ? 'case' : 'cases'} of`;
  if (modality === 'pathology') {
    const { size = SLIDE.usual } = flags;
    const progress = showProgress({ unit: 'row', total: flags.cases * size });
    const writing = writeSlides({
      ...{ ...others, size },
      onProgress: (at) => progress.update((at.case - 1) * size + at.rows, [`case ${at.case} of ${at.cases}`]),
    });
    await writing.finally(() => progress.stop());
    say(`${told} ${size}^2 written to ${folder}`);
    return;
  }
  const { size = VOLUME.usual } = flags;
  const progress = showProgress({ unit: 'slice', total: flags.cases * size });
  const writing = writePhantom({
    ...{ ...others, modality, size },
    onProgress: (at) =>
      progress.update((at.case - 1) * at.slices + at.slice, [`case ${at.case} of ${at.cases}`]),
  });
  await writing.finally(() => progress.stop());
  say(`${told} ${size}^3 written to ${folder}`);
  say(`Train on them: halomesh train --data ${folder} --out runs/phantom --steps 100`);
}

/** Refuses flags that mean nothing with the modality. */
function checkFlags(flags: Flags): void {
  const { modality, size = 0, mpp, tissue, spacing, channels, regions, ignore } = flags;
  const slides = modality === 'pathology';
  const meaningless = slides
    ? {
        '--spacing': spacing,
        '--channels': channels,
        '--regions': regions,
        '--ignore': ignore,
      }
    : { '--mpp': mpp, '--tissue': tissue };
  for (const [where, value] of Object.entries(meaningless))
    if (value !== undefined)
      throw new UsageError({
        where,
        problem: `means nothing with --modality ${modality}`,
        hint: slides ? 'The size of pixels is --mpp' : 'It is one of --modality pathology',
      });
  if (slides || size <= VOLUME.most) return;
  const expected = `a whole number of at least 8 and at most ${VOLUME.most}`;
  throw new UsageError({ where: '--size', problem: 'value', expected, found: `"${size}"` });
}
