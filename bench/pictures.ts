import { markdownTable } from 'halomesh';
import { BASE, runSteps } from './halomesh.ts';
import type { Bench, PartResult } from './part.ts';
import { digits, median, times } from './statistics.ts';

// Training steps on pictures beside those on volumes, by the operations of the plain sums: windows over planes read three times as
// many bytes an operation as windows over volumes.

const PRECISIONS = ['f32', 'bf16'] as const;
type Precision = (typeof PRECISIONS)[number];

/** One kind of a step in one precision, and what came of it. */
export interface Row {
  readonly plane: boolean;
  readonly size: number;
  readonly precision: Precision;
  readonly seconds: number[];
  gflop: number;
  failed?: string;
}

export async function picturesPart(bench: Bench): Promise<PartResult> {
  const { quick } = bench.options;
  const [volume, picture] = quick ? [48, 256] : [128, 2048];
  const [rounds, steps] = quick ? [1, 2] : [2, 3];
  const rows = PRECISIONS.flatMap((precision) =>
    [false, true].map(
      (plane): Row => ({ plane, size: plane ? picture : volume, precision, seconds: [], gflop: 0 }),
    ),
  );
  for (let round = 0; round < rounds; round++)
    for (const row of rows) {
      if (row.failed !== undefined) continue;
      bench.say(`pictures: ${nameOf(row)}, ${row.precision}, round ${round + 1} of ${rounds}`);
      const { size, precision } = row;
      const outcome = await runSteps({ size, steps, precision, flags: row.plane ? ['--plane'] : [] });
      if (outcome.ok) {
        row.seconds.push(...outcome.value.seconds);
        row.gflop = outcome.value.gflopPerStep;
      } else {
        row.failed = outcome.reason;
        bench.say(outcome.detail);
      }
    }
  const body = `Training steps of the U-Net at base ${BASE} (batch 1, Adam, all cores) on a picture of three colours, whose windows slide over height and width (\`--plane\`), and on a volume, in turn, ${rounds === 1 ? 'one process' : `${rounds} processes`} each of one step to warm up and ${steps} counted; medians. Operations are those of the plain sums, whatever way a kernel takes. The last column is the GFLOP/s of pictures over those of the volume.

${tableOf(rows)}`;
  return {
    sections: [{ key: 'pictures', title: 'Pictures beside volumes', body }],
    data: { pictures: rows },
  };
}

const nameOf = ({ plane, size }: Row): string => (plane ? `picture, ${size}^2` : `volume, ${size}^3`);
const speedOf = ({ gflop, seconds }: Row): number => gflop / median(seconds);

export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const start = [nameOf(row), row.precision];
    if (row.seconds.length === 0) return [...start, '', '', '', row.failed ?? ''];
    const volume = rows.find(({ plane, precision }) => !plane && precision === row.precision);
    return [
      ...start,
      digits(median(row.seconds)),
      digits(row.gflop),
      digits(speedOf(row)),
      row.plane && volume && volume.seconds.length > 0 ? times(speedOf(row), speedOf(volume)) : '',
    ];
  });
  const columns = [
    { title: 'step on' },
    { title: 'stored as' },
    ...['s/step', 'GFLOP', 'GFLOP/s', 'over the volume'].map((title) => ({ title, right: true })),
  ];
  return markdownTable(columns, lines);
}
