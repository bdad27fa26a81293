import { fail } from '../../core/index.ts';
import {
  BACKGROUND,
  colorOf,
  drawHeader,
  drawLegend,
  drawPanelText,
  layoutOf,
  type OverlayOptions,
} from './overlay-frame.ts';
import { type Area, type Color, type Point, Raster } from './raster.ts';
import { bestSlices, contours, type Slice, sliceOf, VIEW_NAMES } from './slice.ts';

/**
 * Draws three orthogonal slices through the largest labelled areas, to scale in mm, seen as radiologists do (the patient's right
 * on the left; letters at the edges), with the outlines of truth and prediction, and writes a PNG.
 */
export function drawOverlay(options: OverlayOptions): void {
  const { image, truth, prediction, shape, file } = options;
  const voxels = shape[0] * shape[1] * shape[2];
  for (const [name, map] of Object.entries({ image, truth, prediction }))
    if (map && map.length !== voxels)
      fail({
        where: file,
        problem: `voxels of the ${name}`,
        expected: `${voxels} for shape ${shape.join('x')}`,
        found: `${map.length}`,
      });
  const maps = [truth, prediction].filter((map) => map !== undefined);
  const at = bestSlices(maps, shape);
  const labels = labelsIn(maps);
  const { panels, scale, width, height } = layoutOf(options, labels);
  const raster = new Raster(width, height, BACKGROUND);
  drawHeader(raster, options);
  const range = options.range ?? tissueRange(image);
  VIEW_NAMES.forEach((view, n) => {
    const area = panels[n];
    drawImage(raster, area, sliceOf(image, shape, view, at[view]), range);
    for (const [kind, map] of [truth, prediction].entries()) {
      if (!map) continue;
      const slice = sliceOf(map, shape, view, at[view]);
      for (const label of labels) drawContours(raster, area, slice, label, colorOf(label, kind), kind);
    }
    drawPanelText(raster, area, view, at[view], shape);
  });
  drawLegend(raster, options, labels, scale);
  raster.save(file);
}

function labelsIn(maps: readonly Uint8Array[]): number[] {
  const seen = new Set<number>();
  for (const map of maps) for (const label of map) if (label !== 0) seen.add(label);
  return [...seen].sort((a, b) => a - b);
}

/** What lies between the 3rd and the 99th percentile of all values that no end of the window cut off, and a little more. */
function tissueRange(image: Float32Array): readonly [number, number] {
  const bins = new Float64Array(256);
  let total = 0;
  for (const value of image) {
    if (!(value > 0 && value < 1)) continue;
    bins[Math.floor(value * 256)]++;
    total++;
  }
  if (total === 0) return [0, 1];
  const percentile = (share: number): number => {
    let [sum, bin] = [0, -1];
    while (sum < share * total) sum += bins[++bin];
    return bin / 256;
  };
  return [Math.max(0, percentile(0.03) - 0.04), Math.min(1, percentile(0.99) + 0.04)];
}

/** The slice in grey, interpolated between voxel centres. */
function drawImage(
  raster: Raster,
  area: Area,
  { data, columns, rows }: Slice<Float32Array>,
  [from, to]: readonly [number, number],
): void {
  for (let y = 0; y < area.height; y++) {
    const v = clamp(((y + 0.5) / area.height) * rows - 0.5, 0, rows - 1);
    const r = Math.min(Math.floor(v), Math.max(0, rows - 2));
    const below = rows > 1 ? columns : 0;
    for (let x = 0; x < area.width; x++) {
      const u = clamp(((x + 0.5) / area.width) * columns - 0.5, 0, columns - 1);
      const c = Math.min(Math.floor(u), Math.max(0, columns - 2));
      const beside = columns > 1 ? 1 : 0;
      const n = r * columns + c;
      const top = data[n] * (1 - u + c) + data[n + beside] * (u - c);
      const bottom = data[n + below] * (1 - u + c) + data[n + below + beside] * (u - c);
      const value = (top * (1 - v + r) + bottom * (v - r) - from) / (to - from);
      const grey = Math.round(255 * clamp(value, 0, 1));
      raster.blend(area.x + x, area.y + y, [grey, grey, grey], 1);
    }
  }
}

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/** Truth is drawn first and thicker, so that both are seen where they agree. */
function drawContours(
  raster: Raster,
  area: Area,
  slice: Slice<Uint8Array>,
  label: number,
  color: Color,
  kind: number,
): void {
  const lines = contours(slice, label).map((line) =>
    line.map(
      ([c, r]): Point => [area.x + (c / slice.columns) * area.width, area.y + (r / slice.rows) * area.height],
    ),
  );
  raster.stroke(lines, color, kind === 0 ? 3 : 1.5, kind === 0 ? 0.85 : 1, area);
}
