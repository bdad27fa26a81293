import {
  type Chart,
  drawChart,
  INK,
  linearScale,
  logScale,
  QUIET,
  type Scale,
  type Series,
  WHITE,
} from './chart.ts';
import { drawText } from './font.ts';
import { type Color, hex, type Point, Raster } from './raster.ts';

/** What is known of one step (or evaluation) of a training. */
export interface ProgressPoint {
  readonly step: number;
  readonly loss?: number | null;
  /** Dice by class name, 0 to 1; null where the class is absent. */
  readonly dice?: Readonly<Record<string, number | null>>;
  /** Where images have one label, 0 to 1; null where there is none. */
  readonly accuracy?: number | null;
  readonly auc?: number | null;
  readonly learningRate?: number;
}

export interface ProgressOptions {
  /** Of cases that are not trained on: dots joined by a line, in the colours of the classes. */
  readonly validation?: readonly ProgressPoint[];
  readonly title?: string;
}

const LOSS = hex('#475569');
/** Lines of the classes, in the order in which they first appear; also told apart without red, green or blue cones. */
const DICE: readonly Color[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'].map(hex);
const HELD_OUT_LOSS = hex('#d55e00');
const RATE = hex('#7c3aed');
/** Of the charts of loss and of Dice, each; that of the learning rate is narrower. */
const WIDTH = 600;
const RATE_WIDTH = 380;
const HEIGHT = 500;
/** Of the line above the charts: title and key. */
const HEADER = 40;
/** What the kinds of lines are, in words. */
const KEY = 'pale: single steps · bold: their running mean · dots: validation cases, not trained on';
/** More points than this are averaged in groups before they are drawn. */
const MOST_POINTS = 1200;
/** Fewer points than this are marked and not smoothed. */
const FEW_POINTS = 12;

/**
 * Draws loss, Dice and, where it is given, the learning rate against the step, each as it was (pale) and smoothed, with those of
 * validation over them, and writes a PNG.
 */
export function drawProgress(
  points: readonly ProgressPoint[],
  file: string,
  options: ProgressOptions = {},
): void {
  const { validation = [] } = options;
  const loss = lossOf(points);
  const heldOutLoss = lossOf(validation);
  const rate = points.flatMap(({ step, learningRate: y }): Point[] => (isNumber(y) ? [[step, y]] : []));
  const names = [...new Set([...points, ...validation].flatMap((point) => Object.keys(scoresOf(point))))];
  const ofImages = [...points, ...validation].some(({ accuracy }) => accuracy !== undefined);
  const last = Math.max(1, ...points.map(({ step }) => step));
  const first = Math.min(last - 1, ...points.map(({ step }) => step));
  const x = linearScale(first < last / 10 ? 0 : first, last);
  const charts: Chart[] = [
    {
      title: 'Loss',
      xLabel: 'step',
      x,
      y: lossScale(loss, heldOutLoss),
      series: [...lines('training', loss, LOSS), ...marked('validation', heldOutLoss, HELD_OUT_LOSS)],
    },
    {
      title: ofImages ? 'Accuracy and AUC, 0 to 1' : 'Dice, 0 to 1',
      xLabel: 'step',
      x,
      y: linearScale(0, 1),
      series: names.flatMap((name, n) => {
        const color = DICE[n % DICE.length];
        const held = marked(`${name}, validation`, scoreOf(validation, name), darker(color));
        return [...lines(`${name}, training`, scoreOf(points, name), color), ...held];
      }),
    },
  ];
  if (rate.length > 0)
    charts.push({
      title: 'Learning rate',
      xLabel: 'step',
      x,
      y: linearScale(0, Math.max(...rate.map(([, y]) => y)) * 1.05 || 1),
      series: [{ name: 'rate', color: RATE, points: thin(rate), width: 2, share: 1, listed: false }],
    });
  const widths = [WIDTH, WIDTH, RATE_WIDTH].slice(0, charts.length);
  const raster = new Raster(
    widths.reduce((a, b) => a + b),
    HEIGHT,
    WHITE,
  );
  drawText(raster, options.title ?? 'Training', [22, 28], { color: INK, size: 13 });
  drawText(raster, KEY, [raster.width - 22, 28], { color: QUIET, size: 9, align: 'right' });
  charts.forEach((chart, n) => {
    drawChart(
      raster,
      { x: n * WIDTH + (n === 0 ? 8 : 4), y: HEADER, width: widths[n] - 12, height: HEIGHT - HEADER - 4 },
      chart,
    );
  });
  raster.save(file);
}

const lossOf = (points: readonly ProgressPoint[]): Point[] =>
  points.flatMap(({ step, loss: y }): Point[] => (isNumber(y) ? [[step, y]] : []));

/** Dice by class, or what is told of images that have one label. */
const scoresOf = ({ dice, accuracy, auc }: ProgressPoint): Readonly<Record<string, number | null>> => ({
  ...dice,
  ...(accuracy !== undefined && { accuracy }),
  ...(auc !== undefined && { AUC: auc }),
});

const scoreOf = (points: readonly ProgressPoint[], name: string): Point[] =>
  points.flatMap((point): Point[] => {
    const score = scoresOf(point)[name];
    return isNumber(score) ? [[point.step, score]] : [];
  });

const darker = ([red, green, blue]: Color): Color => [red * 0.55, green * 0.55, blue * 0.55];

/** Points of their own, joined. */
function marked(name: string, points: readonly Point[], color: Color): Series[] {
  if (points.length === 0) return [];
  return [{ name, color, points: thin(points), width: 1.5, share: 1, dots: true, listed: true }];
}

const isNumber = (value: number | null | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value);

/** A line as it is, pale, and smoothed over it. */
function lines(name: string, points: readonly Point[], color: Color): Series[] {
  if (points.length === 0) return [];
  const drawn = thin(points);
  if (drawn.length < FEW_POINTS)
    return [{ name, color, points: drawn, width: 2, share: 1, dots: true, listed: true }];
  return [
    { name, color, points: drawn, width: 1, share: 0.3, listed: false },
    { name, color, points: smooth(drawn), width: 2.2, share: 1, listed: true },
  ];
}

/** Averages groups of neighbours until there are few enough to draw. */
export function thin(points: readonly Point[], most = MOST_POINTS): readonly Point[] {
  const group = Math.ceil(points.length / most);
  if (group <= 1) return points;
  const out: Point[] = [];
  for (let n = 0; n < points.length; n += group) {
    const part = points.slice(n, n + group);
    out.push([mean(part.map(([u]) => u)), mean(part.map(([, v]) => v))]);
  }
  return out;
}

/**
 * The mean of each point's neighbours, nearer ones counting more: as many before as after, so that the line does not lag. Towards
 * the ends the neighbourhood shrinks.
 */
export function smooth(points: readonly Point[]): readonly Point[] {
  const widest = Math.max(2, Math.round(points.length / 25));
  const least = Math.ceil(widest / 3);
  return points.map(([u], at) => {
    const reach = Math.max(least, Math.min(widest, at, points.length - 1 - at));
    let [sum, weights] = [0, 0];
    for (let n = Math.max(0, at - reach); n <= Math.min(points.length - 1, at + reach); n++) {
      const weight = reach + 1 - Math.abs(n - at);
      sum += weight * points[n][1];
      weights += weight;
    }
    return [u, sum / weights];
  });
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Powers where a positive loss falls by more than a factor of eight; else even. Single outliers do not stretch the axis. */
function lossScale(points: readonly Point[], others: readonly Point[]): Scale {
  if (points.length === 0) return linearScale(0, 1);
  const values = thin(points).map(([, v]) => v);
  const sorted = [...values].sort((a, b) => a - b);
  const share = (part: number): number => sorted[Math.round(part * (sorted.length - 1))];
  const line = [...smooth(thin(points)), ...others].map(([, v]) => v);
  const low = Math.min(share(0.01), ...line);
  const high = Math.max(share(0.99), ...line);
  if (low > 0 && high > 8 * low) return logScale(low / 1.15, high * 1.15);
  const room = Math.max(high - low, 1e-3 * Math.abs(high), 1e-6) * 0.06;
  return linearScale(low >= 0 && low < high / 2 ? 0 : low - room, high + room);
}
