import path from 'node:path';
import { writeFakeLesions } from '../../imaging/index.ts';
import type { PatternFlags } from '../flags/flags.ts';
import { showProgress } from '../terminal/progress.ts';
import { say } from '../terminal/say.ts';
import { workUnread } from '../terminal/unread.ts';

export interface Flags extends PatternFlags {
  readonly data: string;
  readonly out: string;
  readonly probability: number;
  readonly organ: number;
  readonly lesion: number;
  readonly seed: number;
  readonly overwrite?: boolean;
}

/** Runs `halomesh fake-lesions`. */
export async function fakeLesionsAction(flags: Flags): Promise<void> {
  workUnread();
  let progress: ReturnType<typeof showProgress> | undefined;
  try {
    const reports = await writeFakeLesions({
      ...flags,
      onCase: ({ id, outcome }, done, total) => {
        progress ??= showProgress({ unit: 'case', total });
        progress.update(done, [`${id} ${outcome}`]);
      },
    });
    progress?.stop();
    for (const { id, outcome, before, after } of reports)
      say(`${id}: ${outcome === 'made' ? `${before} lesion voxels before, ${after} now` : words[outcome]}`);
    const folder = path.relative('', flags.out) || '.';
    const made = reports.filter(({ outcome }) => outcome === 'made').length;
    say(`${reports.length} cases written to ${folder}, ${made} with fake lesions`);
  } finally {
    progress?.stop();
  }
}

const words = {
  left: 'as it was, by chance',
  'no organ': 'as it was: it has no voxel of the organ',
  'no lesion': 'as it was: it has no lesion to learn from',
  'not darker': 'as it was: its lesions are not darker than the organ',
} as const;
