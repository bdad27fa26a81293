import { fail } from '../../core/index.ts';
import { wholeBox } from '../../imaging/index.ts';
import {
  BACKGROUND,
  colorOf,
  drawHeader,
  drawLegend,
  drawPanelText,
  type OverlayFrame,
  type OverlayOptions,
  onStripe,
  viewsOf,
} from './overlay-frame.ts';
import { layoutOf } from './overlay-layout.ts';
import { type Area, type Color, type Point, Raster, savePicture } from './raster.ts';
import { contours, type Slice, sliceOf, thinned, type View } from './slice.ts';
import { VolumeFacts } from './volume-facts.ts';

/** Slices of a view. */
export interface ViewSlices {
  readonly image: Slice<Float32Array>;
  readonly truth?: Slice<Uint8Array>;
  readonly prediction?: Slice<Uint8Array>;
}

/**
 * Draws three orthogonal slices through the largest labelled areas, to scale in mm, seen as radiologists do (the patient's right
 * on the left; letters at the edges), or a picture as it lies in its file, with the outlines of truth and prediction and stripes where only one of them has a label, and
 * writes a PNG.
 */
export function drawOverlay(options: OverlayOptions): void {
  savePicture(options.file, overlayPicture(options));
}

/** The same as the bytes of a PNG, which are not written. */
export function overlayPicture(options: OverlayOptions): Uint8Array {
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
  const facts = new VolumeFacts(shape);
  facts.addMaps(
    [truth, prediction].filter((map) => map !== undefined),
    wholeBox(shape),
  );
  if (options.range === undefined) facts.addImage(image);
  const { at } = facts;
  const slice = <T extends Float32Array | Uint8Array>(whole: T, view: View) =>
    sliceOf(whole, shape, view, at[view], !options.picture);
  return slicesPicture(options, facts, (view) => ({
    image: slice(image, view),
    truth: truth && slice(truth, view),
    prediction: prediction && slice(prediction, view),
  }));
}

/** The same from slices alone, those at `facts.at`. */
export function slicesPicture(
  given: OverlayFrame,
  facts: VolumeFacts,
  slicesOf: (view: View) => ViewSlices,
): Uint8Array {
  const { labels, at } = facts;
  const range = given.range ?? facts.range;
  const frame = { ...given, range };
  const { panels, scale, width, height } = layoutOf(frame, labels);
  const raster = new Raster(width, height, BACKGROUND);
  drawHeader(raster, frame);
  viewsOf(frame).forEach((view, n) => {
    const area = panels[n];
    const slices = slicesOf(view);
    const image = thinned(slices.image, area);
    const [truth, prediction] = [slices.truth, slices.prediction].map((map) => map && thinned(map, area));
    drawImage(raster, area, image, range);
    drawFills(raster, area, truth, prediction);
    for (const [kind, slice] of [truth, prediction].entries()) {
      if (!slice) continue;
      for (const label of labels) drawContours(raster, area, slice, label, colorOf(label, kind), kind);
    }
    drawPanelText(raster, frame, area, view, at[view]);
  });
  drawLegend(raster, frame, labels, scale);
  return raster.encode();
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

/** How strongly stripes and whole fills cover the image. */
const STRIPES = 0.6;
const WHOLE = 0.22;

/**
 * Fills labels: those of one map alone whole and pale; of two maps, what only the truth has and what only the prediction has with
 * stripes, which rise or fall, so that no colour is needed to tell them apart. Where both agree the image stays as it is.
 */
function drawFills(
  raster: Raster,
  area: Area,
  truth: Slice<Uint8Array> | undefined,
  prediction: Slice<Uint8Array> | undefined,
): void {
  const any = truth ?? prediction;
  if (any === undefined) return;
  const { columns, rows } = any;
  for (let y = 0; y < area.height; y++)
    for (let x = 0; x < area.width; x++) {
      const n =
        Math.floor(((y + 0.5) / area.height) * rows) * columns +
        Math.floor(((x + 0.5) / area.width) * columns);
      const labels = [truth?.data[n], prediction?.data[n]];
      if (labels[0] === labels[1]) continue;
      for (const [kind, label] of labels.entries()) {
        if (!label) continue;
        const [px, py] = [area.x + x, area.y + y];
        if (truth === undefined || prediction === undefined)
          raster.blend(px, py, colorOf(label, kind), WHOLE);
        else if (onStripe(px, py, kind)) raster.blend(px, py, colorOf(label, kind), STRIPES);
      }
    }
}

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
