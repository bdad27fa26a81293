import type { Command } from 'commander';
import { markdownTable } from '../core/index.ts';
import { checkOutputs } from '../files/index.ts';
import {
  bytes,
  predictScaling,
  type ScalePoint,
  type Scaling,
  type Speeds,
  showParts,
} from '../plan/index.ts';
import { drawScaling, speedsOf } from '../train/index.ts';
import { addOverwriteFlag } from './flags.ts';
import { type Measured, measureHere } from './measure.ts';
import { byteCount, count, counted, oneOf } from './parse.ts';
import { showProgress } from './progress.ts';
import { say, sayJson } from './say.ts';
import { finderOf, type ScaleFlags, sizesOf } from './scale-finder.ts';
import { relative } from './words.ts';

const RANKS = Array.from({ length: 13 }, (_, power) => 2 ** power);
/** `halomesh scale` */
export function scaleCommand(program: Command): void {
  const command = program
    .command('scale')
    .summary('predict time, memory and bytes of a training step for 1 to 4096 ranks')
    .description(
      'Predicts the time of a training step for numbers of ranks, each over its best split, from the counts of plans and the ' +
        'speeds of a machine file; nothing is trained. Prints a table for a volume over more and more ranks (strong scaling) ' +
        'and for one that grows with them (weak), and draws both. Each rank has a machine of its own unless told otherwise.',
    )
    .option('--size <n>', 'voxels along each side', count('--size'), 512)
    .option('--base <n>', 'channels of the first level', count('--base'), 16)
    .option('--levels <n>', 'resolutions of the network', count('--levels', 1, 10), 4)
    .option('--batch <n>', 'volumes in a step', count('--batch'), 1)
    .option(
      '--precision <type>',
      'how activations are stored: f32, bf16',
      oneOf('--precision', ['f32', 'bf16']),
      'f32',
    )
    .option(
      '--ranks <list>',
      'numbers of ranks, such as 1,2,4 (default: 1, 2, 4 ... 4096)',
      counted('--ranks'),
      RANKS,
    )
    .option(
      '--machine <file>',
      'speeds, by info --calibrate or by hand (default: HALOMESH_MACHINE, else assumed)',
    )
    .option(
      '--threads <n>',
      'threads of each rank (default: the cores of its machine, divided)',
      count('--threads'),
    )
    .option('--ranks-per-machine <n>', 'ranks that share a machine', count('--ranks-per-machine'), 1)
    .option(
      '--memory-limit <bytes>',
      'of each rank: what does not fit is recomputed or spilled',
      byteCount('--memory-limit'),
    )
    .option(
      '--block <n>',
      'voxels along each side of a rank in the weak scaling (default: a quarter of --size)',
      count('--block'),
    )
    .option('--tries <n>', 'splits that are planned for each number of ranks', count('--tries'), 3)
    .option('--measure', 'run the step here too, on 1, 2 and 4 processes of one thread, and show both times')
    .option('--out <file>', 'picture to write', 'scale.png')
    .option('--json', 'print the result as JSON');
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      `
Examples:
  mpirun -n 2 halomesh info --calibrate --out machine.json
  halomesh scale --size 512 --base 16 --machine machine.json
  halomesh scale --size 128 --measure`,
    )
    .action(async (flags: ScaleFlags) => {
      if (flags.measure) {
        const measured = await measureHere(flags);
        if (flags.json) sayJson(measured);
        else say(formatMeasured(measured));
        return;
      }
      checkOutputs({
        reads: flags.machine === undefined ? [] : [flags.machine],
        writes: [flags.out],
        overwrite: flags.overwrite,
      });
      const speeds = speedsOf(flags.machine);
      const block = flags.block ?? Math.max(2 ** (flags.levels - 1), Math.floor(flags.size / 4));
      const progress = showProgress({ unit: 'split', total: flags.ranks.length, silent: flags.json });
      let done = 0;
      const scaling = predictScaling(finderOf(flags, speeds), sizesOf(flags), flags.ranks, block, () =>
        progress.update(++done),
      );
      progress.stop();
      drawScaling(
        { ...scaling, strongTitle: `${flags.size} cubed`, weakTitle: `${block} cubed a rank` },
        flags.out,
      );
      if (flags.json) sayJson({ machine: speeds, ...scaling, picture: flags.out });
      else say(`${formatScaling(flags, block, speeds, scaling)}\n\npicture in ${relative(flags.out)}`);
    });
}

/** The tables as text for a terminal. */
export function formatScaling(
  { size, base, levels, batch, precision }: ScaleFlags,
  block: number,
  speeds: Speeds,
  { strong, weak, leftOut }: Scaling,
): string {
  return [
    `step       U-Net of base ${base}, ${levels} levels, batch ${batch}, ${precision}`,
    `machine    ${speeds.name}, ${speeds.cores} ${speeds.cores === 1 ? 'core' : 'cores'}: ${speeds.source}`,
    `link       ${(speeds.link.bytesPerSecond / 1e9).toPrecision(3)} GB/s, ${(1e6 * speeds.link.latencySeconds).toPrecision(3)} us: ${speeds.link.source}`,
    '',
    `${size}^3 over more and more ranks`,
    '',
    table(strong),
    '',
    `${block}^3 voxels a rank`,
    '',
    table(weak),
    ...leftOut.map(({ ranks, reason }) => `\nleft out: ${ranks} ranks, ${reason}`),
  ].join('\n');
}

function table(points: readonly ScalePoint[]): string {
  const number = (title: string) => ({ title, right: true });
  const columns = [
    number('ranks'),
    { title: 'best split' },
    { title: 'block' },
    ...['s/step', 'waits', 'efficiency', 'memory a rank', 'sent by a rank', 'sent by all'].map(number),
  ];
  const rows = points.map((point) => {
    const { exchange, allReduce } = point.census.bytesSent;
    return [
      String(point.ranks),
      showParts(point.parts),
      showBlock(point),
      showSeconds(point.seconds),
      percent((point.exchangeSeconds + point.allReduceSeconds) / point.seconds),
      percent(point.efficiency),
      bytes(point.census.peakBytes),
      bytes(point.census.exchangeBytesOfRank),
      bytes(exchange + allReduce),
    ];
  });
  return markdownTable(columns, rows);
}

/** Predicted and measured times side by side. */
export function formatMeasured(measured: readonly Measured[]): string {
  const number = (title: string) => ({ title, right: true });
  const columns = [
    number('ranks'),
    { title: 'split' },
    ...[
      'predicted s',
      'measured s',
      'difference',
      'kernels s, predicted',
      'waits s, predicted',
      'sent, predicted',
      'sent, counted',
    ].map(number),
  ];
  const rows = measured.map(({ ranks, split, predicted, seconds, bytesSent, bytesCounted, waits }) => [
    String(ranks),
    split,
    showSeconds(predicted),
    showSeconds(seconds),
    `${((100 * (predicted - seconds)) / seconds).toFixed(1)} %`,
    showSeconds(predicted - waits),
    showSeconds(waits),
    bytes(bytesSent),
    bytes(bytesCounted),
  ]);
  return markdownTable(columns, rows);
}

const showBlock = ({ block }: ScalePoint): string =>
  `${block.batch > 1 ? `${block.batch} x ` : ''}${block.depth} x ${block.height} x ${block.width}`;
const showSeconds = (seconds: number): string => seconds.toPrecision(3);
const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
