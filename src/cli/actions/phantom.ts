import path from 'node:path';
import { writePhantom } from '../../imaging/index.ts';
import { showProgress } from '../terminal/progress.ts';
import { say } from '../terminal/say.ts';
import { workUnread } from '../terminal/unread.ts';

export interface Flags {
  readonly out: string;
  readonly size: number;
  readonly cases: number;
  readonly spacing?: number;
  readonly modality: 'ct' | 'mr';
  readonly channels: number;
  readonly regions?: boolean;
  readonly ignore?: boolean;
  readonly seed: number;
  readonly overwrite?: boolean;
}

/** Runs `halomesh phantom`. */
export async function phantomAction(flags: Flags): Promise<void> {
  workUnread();
  const progress = showProgress({ unit: 'slice', total: flags.cases * flags.size });
  try {
    await writePhantom({
      ...flags,
      onProgress: (at) =>
        progress.update((at.case - 1) * at.slices + at.slice, [`case ${at.case} of ${at.cases}`]),
    });
  } finally {
    progress.stop();
  }
  const folder = path.relative('', flags.out) || '.';
  say(`${flags.cases} ${flags.cases === 1 ? 'case' : 'cases'} of ${flags.size}^3 written to ${folder}`);
  say(`Train on them: halomesh train --data ${folder} --out runs/phantom --steps 100`);
}
