import { type Chart, drawChart, INK, logScale, type Series, WHITE } from './chart.ts';
import { drawText } from './font.ts';
import { type Color, hex, type Point, Raster } from './raster.ts';

/** What is drawn of one number of ranks. */
export interface ScalingPoint {
  readonly ranks: number;
  readonly seconds: number;
  /** 0 to 1. */
  readonly efficiency: number;
}

export interface ScalingPicture {
  readonly strong: readonly ScalingPoint[];
  readonly weak: readonly ScalingPoint[];
  /** What was measured, where it was. */
  readonly measured?: readonly Pick<ScalingPoint, 'ranks' | 'seconds'>[];
  /** Of the strong scaling, such as `512^3`, and of the weak one, such as `128^3 a rank`. */
  readonly strongTitle: string;
  readonly weakTitle: string;
  /** What the times are those of: `machine.json, 8 cores: measured ...`, or that nothing was measured. */
  readonly machine: string;
}

const STRONG = hex('#0072b2');
const WEAK = hex('#009e73');
const IDEAL = hex('#94a3b8');
const MEASURED = hex('#d55e00');
const WIDTH = 1200;
const HEIGHT = 936;
const HEADER = 36;

/** Draws the time of a step and the efficiency against the number of ranks, strong above and weak below, and writes a PNG. */
export function drawScaling(picture: ScalingPicture, file: string): void {
  const { strong, weak, measured = [] } = picture;
  const raster = new Raster(WIDTH, HEIGHT, WHITE);
  const area = (column: number, row: number) => ({
    x: 8 + (column * WIDTH) / 2,
    y: HEADER + (row * (HEIGHT - HEADER)) / 2,
    width: WIDTH / 2 - 14,
    height: (HEIGHT - HEADER) / 2 - 14,
  });
  drawText(raster, picture.machine, [22, 26], { color: INK, size: 11 });
  const [first] = strong;
  const ideal = strong.map(({ ranks }): Point => [ranks, (first.seconds * first.ranks) / ranks]);
  drawChart(
    raster,
    area(0, 0),
    times(`Strong, ${picture.strongTitle}: s/step`, strong, STRONG, ideal, measured),
  );
  drawChart(raster, area(1, 0), efficiencies('Strong: efficiency, %', strong, STRONG));
  const flat = weak.map(({ ranks }): Point => [ranks, weak[0].seconds]);
  drawChart(raster, area(0, 1), times(`Weak, ${picture.weakTitle}: s/step`, weak, WEAK, flat, []));
  drawChart(raster, area(1, 1), efficiencies('Weak: efficiency, %', weak, WEAK));
  raster.save(file);
}

function times(
  title: string,
  points: readonly ScalingPoint[],
  color: Color,
  ideal: readonly Point[],
  measured: NonNullable<ScalingPicture['measured']>,
): Chart {
  const line = points.map(({ ranks, seconds }): Point => [ranks, seconds]);
  const dots = measured.map(({ ranks, seconds }): Point => [ranks, seconds]);
  const seconds = [...line, ...ideal, ...dots].map(([, s]) => s);
  return {
    title,
    xLabel: 'ranks',
    x: rankScale(points),
    y: logScale(Math.min(...seconds) / 1.3, Math.max(...seconds) * 1.3),
    series: [
      { ...plain('ideal', IDEAL, ideal), width: 1.2, dots: false },
      plain('predicted', color, line),
      ...(dots.length > 0 ? [{ ...plain('measured', MEASURED, dots), width: 3 }] : []),
    ],
  };
}

function efficiencies(title: string, points: readonly ScalingPoint[], color: Color): Chart {
  const line = points.map(({ ranks, efficiency }): Point => [ranks, 100 * efficiency]);
  const most = Math.max(100, ...line.map(([, percent]) => percent));
  return {
    title,
    xLabel: 'ranks',
    x: rankScale(points),
    y: { place: (value) => value / most, ticks: [0, 20, 40, 60, 80, 100] },
    series: [plain('predicted', color, line)],
  };
}

/** Powers of two, with ticks at every other one where there are many. */
function rankScale(points: readonly ScalingPoint[]): Chart['x'] {
  const ranks = points.map((point) => point.ranks);
  const low = Math.log2(Math.min(...ranks));
  const high = Math.max(low + 1, Math.log2(Math.max(...ranks)));
  const step = high - low > 7 ? 2 : 1;
  const ticks: number[] = [];
  for (let power = Math.ceil(low); power <= high; power += step) ticks.push(2 ** power);
  return { place: (value) => (Math.log2(value) - low) / (high - low), ticks };
}

const plain = (name: string, color: Color, points: readonly Point[]): Series => ({
  name,
  color,
  points,
  width: 2,
  share: 1,
  dots: true,
  listed: true,
});
