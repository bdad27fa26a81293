import { markdownTable } from '../../core/index.ts';
import { checkOutputs } from '../../files/index.ts';
import type { Speeds } from '../../machine/index.ts';
import {
  bytes,
  type Link,
  predictScaling,
  type ScalePoint,
  type Scaling,
  showParts,
  type Torus,
} from '../../plan/index.ts';
import { drawScaling, machineFile } from '../../train/index.ts';
import { UsageError } from '../flags/parse.ts';
import { hearSignals } from '../terminal/interrupt.ts';
import { showProgress } from '../terminal/progress.ts';
import { say, sayJson } from '../terminal/say.ts';
import { relative } from '../terminal/words.ts';
import { type Measured, measureHere } from './measure.ts';
import { finderOf, type ScaleFlags, sizesOf, speedsFor } from './scale-finder.ts';

/** Runs `halomesh scale`. */
export async function scaleAction(flags: ScaleFlags): Promise<void> {
  if (flags.measure && flags.device === 'cuda')
    throw new UsageError({
      where: '--measure',
      problem: 'runs the step on processors alone',
      expected: '--device cpu',
      found: '--device cuda',
      hint: 'On GPUs: mpirun -n 2 halomesh bench --device cuda --split depth=2',
    });
  if (flags.measure) {
    const measured = await measureHere(flags);
    if (flags.json) sayJson(measured);
    else say(formatMeasured(measured));
    return;
  }
  checkOutputs({
    reads: [machineFile(flags.machine)],
    writes: [flags.out],
    overwrite: flags.overwrite,
  });
  const speeds = speedsFor(flags);
  const block = flags.block ?? Math.max(2 ** (flags.levels - 1), Math.floor(flags.size / 4));
  const progress = showProgress({ unit: 'split', total: 2 * flags.ranks.length, silent: flags.json });
  let done = 0;
  const scaling = await predictScaling(finderOf(flags, speeds), sizesOf(flags), flags.ranks, block, () => {
    progress.update(++done);
    return hearSignals();
  });
  progress.stop();
  drawScaling(
    {
      ...scaling,
      strongTitle: `${flags.size}³`,
      weakTitle: `${block}³ a rank`,
      machine: machineText(speeds, flags.device),
    },
    flags.out,
  );
  if (flags.json) sayJson({ machine: speeds, ...scaling, picture: flags.out });
  else say(`${formatScaling(flags, block, speeds, scaling)}\n\npicture in ${relative(flags.out)}`);
}

/** Whether times are those of a machine that was measured, and of its link. */
function machineText(speeds: Speeds, device: ScaleFlags['device']): string {
  return `Machine ${speeds.name}, ${coresOf(speeds, device)}: ${speeds.source}. Link: ${speeds.link.source}`;
}

const coresOf = ({ cores, unit }: Speeds, device: ScaleFlags['device']): string =>
  `${cores} ${unit ?? (device === 'cuda' ? 'GPU' : 'core')}${cores === 1 ? '' : 's'}`;

/** The tables as text for a terminal. */
export function formatScaling(
  { size, base, levels, batch, precision, device }: ScaleFlags,
  block: number,
  speeds: Speeds,
  { strong, weak, leftOut }: Scaling,
): string {
  return [
    `step       U-Net of base ${base}, ${levels} levels, batch ${batch}, ${precision}`,
    `machine    ${speeds.name}, ${coresOf(speeds, device)}: ${speeds.source}`,
    `link       ${showLink(speeds.link)}: ${speeds.link.source}`,
    ...(speeds.link.inside === undefined
      ? []
      : [`           ${showLink(speeds.link.inside)} within a machine`]),
    ...(speeds.link.torus === undefined ? [] : [`           ${showTorus(speeds.link.torus)}`]),
    '',
    `${size}^3 over more and more ranks`,
    '',
    table(strong),
    ...enough(strong),
    '',
    `${block}^3 voxels a rank`,
    '',
    table(weak),
    ...leftOut.map(({ ranks, reason }) => `\nleft out: ${ranks} ranks, ${reason}`),
  ].join('\n');
}

/** How many of the most ranks do best alone, where not all do. */
function enough(points: readonly ScalePoint[]): string[] {
  const last = points.at(-1);
  if (last === undefined || last.used === last.ranks) return [];
  return [
    '',
    `The best of ${last.ranks} ranks is to start ${last.used} alone: all together would take ${showSeconds(last.secondsOfAll)} s a step, as they wait for each other.`,
  ];
}

const showLink = ({ bytesPerSecond, latencySeconds }: Link): string =>
  `${(bytesPerSecond / 1e9).toPrecision(3)} GB/s, ${(1e6 * latencySeconds).toPrecision(3)} us`;

const showTorus = ({ axes, ring, hopSeconds }: Torus): string =>
  `a torus of ${axes} ${axes === 1 ? 'axis' : 'axes'}, whose ends are joined from ${ring} on, ${(1e6 * hopSeconds).toPrecision(3)} us from one to the next`;

function table(points: readonly ScalePoint[]): string {
  const number = (title: string) => ({ title, right: true });
  const fewer = points.some(({ used, ranks }) => used < ranks);
  const columns = [
    number('ranks'),
    { title: 'best split' },
    { title: 'block' },
    ...['s/step', ...(fewer ? ['over all'] : [])].map(number),
    ...['waits', 'efficiency', 'memory a rank', 'sent by a rank', 'sent by all'].map(number),
  ];
  const rows = points.map((point) => {
    const { exchange, allReduce } = point.census.bytesSent;
    return [
      String(point.ranks),
      point.used === point.ranks ? showParts(point.parts) : `${point.used}: ${showParts(point.parts)}`,
      showBlock(point),
      showSeconds(point.seconds),
      ...(fewer ? [showSeconds(point.secondsOfAll)] : []),
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
