import { markdownTable } from '../../core/index.ts';
import { checkOutputs, writeTextAtomically } from '../../files/index.ts';
import {
  defaultNormalizations,
  type Fingerprint,
  fingerprintDataset,
  type Intensities,
  type Print,
  percentiles,
} from '../../imaging/index.ts';
import type { PatternFlags } from '../flags/flags.ts';
import { showProgress } from '../terminal/progress.ts';
import { say, sayJson } from '../terminal/say.ts';
import { relative } from '../terminal/words.ts';
import { classLines } from './verify.ts';

export interface Flags extends PatternFlags {
  readonly out?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** Runs `halomesh fingerprint`. */
export async function fingerprintAction(
  dir: string,
  { out, json, overwrite, ...patterns }: Flags,
): Promise<void> {
  if (out !== undefined) checkOutputs({ reads: [dir], writes: [out], overwrite });
  let progress: ReturnType<typeof showProgress> | undefined;
  const print = await fingerprintDataset(dir, {
    ...patterns,
    onCase: (id, done, all) => {
      progress ??= showProgress({ unit: 'case', total: all });
      progress.update(done, [id]);
    },
  }).finally(() => progress?.stop());
  const text = JSON.stringify(print, null, 2);
  if (out !== undefined) await writeTextAtomically(out, `${text}\n`);
  if (json) sayJson(print);
  else say(formatFingerprint(print));
  if (out !== undefined && !json) say(`\nwritten to ${relative(out)}`);
}

/** Where more voxels of a scan are 0 its outside was set to 0, and nnU-Net takes z-scores of the others. */
const mostZeros = 0.25;

/** Tables of the cases, of their labels, and of the intensities over all. */
export function formatFingerprint(print: Fingerprint): string {
  const { name, spacing, shape, orientations, all, cases } = print;
  const triple = (values: readonly number[]) => values.map(short).join(' x ');
  const spread = (row: string, { least, median, most }: Fingerprint['spacing']) => [
    row,
    ...[least, median, most].map(triple),
  ];
  const kinds = Object.entries(orientations).map(([code, count]) => `${count} ${code}`);
  const right = (title: string) => ({ title, right: true });
  const hounsfield = cases.some(({ clipped }) => clipped !== undefined);
  return [
    `${name}: ${cases.length} labelled ${cases.length === 1 ? 'case' : 'cases'}, axes ${kinds.join(', ')}`,
    ...classLines(print),
    markdownTable(
      [{ title: 'depth x height x width' }, right('least'), right('median'), right('most')],
      [spread('voxels', shape), spread('spacing, mm', spacing)],
    ),
    markdownTable(
      [
        { title: 'case' },
        right('voxels'),
        right('spacing, mm'),
        { title: 'axes' },
        ...(hounsfield ? [right('clipped, %')] : []),
        ...all.classes
          .slice(1)
          .flatMap(({ name }) => [right(`${name}, %`), right(`${name}, ml`), right(`${name}, mean`)]),
      ],
      [
        ...cases.map((found) => [
          found.id,
          triple(found.shape),
          triple(found.spacing),
          found.orientation,
          ...(hounsfield ? [found.clipped === undefined ? '-' : (100 * found.clipped).toFixed(1)] : []),
          ...labelCells(found),
        ]),
        ['all', '', '', '', ...(hounsfield ? [''] : []), ...labelCells(all)],
      ],
    ),
    ...(all.channels ?? [{ name: undefined, zeros: 0, ...all }]).map((channel) =>
      markdownTable(
        [
          { title: channel.name === undefined ? 'values of' : `${channel.name}, values of` },
          ...['mean', 'std', ...percentiles.map((p) => `${p} %`)].map(right),
        ],
        [
          ...channel.classes.map(({ name, intensities }) => intensityCells(name, intensities)),
          intensityCells('all but background', channel.foreground),
        ],
      ),
    ),
    ...(all.channels ?? []).map(({ name, zeros }) => {
      const told = `${name}: ${(100 * zeros).toFixed(1)} % of the voxels are 0`;
      const normalization = defaultNormalizations([name])[0].kind;
      return zeros > mostZeros && normalization === 'zscore'
        ? `${told}: zscore-nonzero is the z-score of the others (--normalization of train)`
        : told;
    }),
  ].join('\n\n');
}

function labelCells({ classes }: Print): string[] {
  return classes
    .slice(1)
    .flatMap(({ share, volume, intensities }) => [
      (100 * share).toFixed(2),
      short(volume),
      intensities === undefined ? '-' : short(intensities.mean),
    ]);
}

function intensityCells(name: string, found: Intensities | undefined): string[] {
  if (found === undefined) return [name, ...percentiles.map(() => '-'), '-', '-'];
  return [name, ...[found.mean, found.std, ...percentiles.map((p) => found.percentiles[p])].map(short)];
}

const short = (value: number): string => String(+value.toPrecision(4));
