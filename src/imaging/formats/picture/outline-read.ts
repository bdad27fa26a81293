import { shownValue } from '../../../core/index.ts';
import { ImagingError } from '../../volume/errors.ts';

// Outlines on a picture as GeoJSON (RFC 7946), in the way of QuPath: polygons in pixels of the largest level, (0, 0) at the corner of the
// first one, each with the name of its class at `properties.classification.name`.

/** The rings of a polygon, the outer one and its holes: x and y of their corners by turns. */
export interface Outline {
  readonly name: string;
  readonly rings: readonly Float64Array[];
  /** Rows that it reaches into, from the first up to, and without, the last. */
  readonly rows: readonly [first: number, last: number];
}

/** What a file of outlines holds. */
export interface Outlines {
  readonly outlines: readonly Outline[];
  /** Features without the name of a class, and geometries that have no inside: points and lines. */
  readonly nameless: number;
  readonly open: number;
}

/** Corners lie within so many pixels. */
const farthest = 2 ** 30;

/** Reads a text of GeoJSON. Throws ImagingError that names `file` and the feature where it is none. */
export function parseOutlines(text: string, file: string): Outlines {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    const found = error instanceof Error ? error.message.slice(0, 200) : 'something else';
    throw new ImagingError({ file, field: 'content', expected: 'JSON', found }, { cause: error });
  }
  const outlines: Outline[] = [];
  let [nameless, open] = [0, 0];
  for (const [n, feature] of featuresOf(content, file).entries()) {
    const at = `features.${n}`;
    if (!isObject(feature) || feature.type !== 'Feature')
      throw wrong(file, `${at}.type`, 'a Feature', isObject(feature) ? feature.type : feature);
    const name = classOf(feature.properties);
    const found = polygonsOf(feature.geometry, `${at}.geometry`, file);
    open += found.open;
    if (name === undefined) nameless += found.polygons.length > 0 ? 1 : 0;
    else for (const rings of found.polygons) outlines.push({ name, rings, rows: rowsOf(rings) });
  }
  return { outlines, nameless, open };
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function wrong(file: string, field: string, expected: string, found: unknown): ImagingError {
  return new ImagingError({ file, field, expected, found: shownValue(found) });
}

/** The features of a collection; QuPath writes a bare list, or a single one, too. */
function featuresOf(content: unknown, file: string): readonly unknown[] {
  if (Array.isArray(content)) return content;
  if (isObject(content) && content.type === 'Feature') return [content];
  if (isObject(content) && content.type === 'FeatureCollection' && Array.isArray(content.features))
    return content.features;
  throw wrong(file, 'type', 'a FeatureCollection with features', isObject(content) ? content.type : content);
}

function classOf(properties: unknown): string | undefined {
  const of = isObject(properties) ? properties.classification : undefined;
  const name = isObject(of) ? of.name : of;
  return typeof name === 'string' && name.trim() !== '' ? name.trim() : undefined;
}

interface Polygons {
  readonly polygons: readonly (readonly Float64Array[])[];
  readonly open: number;
}

const openKinds = ['Point', 'MultiPoint', 'LineString', 'MultiLineString'];

function polygonsOf(geometry: unknown, at: string, file: string, depth = 0): Polygons {
  if (geometry === null || geometry === undefined) return { polygons: [], open: 1 };
  if (!isObject(geometry)) throw wrong(file, at, 'a geometry', geometry);
  const { type, coordinates, geometries } = geometry;
  if (type === 'Polygon') return { polygons: [ringsOf(coordinates, at, file)], open: 0 };
  if (type === 'MultiPolygon' && Array.isArray(coordinates))
    return { polygons: coordinates.map((one, n) => ringsOf(one, `${at}.coordinates.${n}`, file)), open: 0 };
  if (type === 'GeometryCollection' && Array.isArray(geometries) && depth < 4) {
    const all = geometries.map((one, n) => polygonsOf(one, `${at}.geometries.${n}`, file, depth + 1));
    return {
      polygons: all.flatMap(({ polygons }) => polygons),
      open: all.reduce((sum, one) => sum + one.open, 0),
    };
  }
  if (typeof type === 'string' && openKinds.includes(type)) return { polygons: [], open: 1 };
  throw wrong(file, `${at}.type`, 'Polygon or MultiPolygon', type);
}

function ringsOf(coordinates: unknown, at: string, file: string): readonly Float64Array[] {
  if (!Array.isArray(coordinates)) throw wrong(file, at, 'a list of rings', coordinates);
  return coordinates.map((ring: unknown, n) => {
    if (!Array.isArray(ring) || ring.length < 4)
      throw wrong(file, `${at}, ring ${n}`, 'at least four corners, the last one the first', ring);
    const corners = new Float64Array(2 * ring.length);
    for (const [m, corner] of ring.entries()) {
      const [x, y]: unknown[] = Array.isArray(corner) ? corner : [];
      if (!isPlace(x) || !isPlace(y))
        throw wrong(file, `${at}, ring ${n}, corner ${m}`, `two numbers below ${farthest}`, corner);
      corners[2 * m] = x;
      corners[2 * m + 1] = y;
    }
    return corners;
  });
}

const isPlace = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) < farthest;

function rowsOf(rings: readonly Float64Array[]): readonly [number, number] {
  let [low, high] = [farthest, -farthest];
  for (const ring of rings)
    for (let n = 1; n < ring.length; n += 2) [low, high] = [Math.min(low, ring[n]), Math.max(high, ring[n])];
  return [Math.floor(low), Math.ceil(high)];
}

/**
 * Calls `fill` for runs of pixels, row by row, from one column up to, and without, another, whose centres lie within an odd number of
 * the rings, in the rows from `row0` to `row1`. Where a ring crosses a row does not depend on these, so boxes agree.
 */
export function fillOutline(
  { rings, rows }: Outline,
  [row0, row1]: readonly [number, number],
  fill: (row: number, from: number, to: number) => void,
): void {
  const [first, last] = [Math.max(row0, rows[0]), Math.min(row1, rows[1])];
  if (last <= first) return;
  const crossings: number[][] = Array.from({ length: last - first }, () => []);
  for (const ring of rings)
    for (let n = 0; n < ring.length; n += 2) {
      const next = (n + 2) % ring.length;
      const [x, y, toX, toY] = [ring[n], ring[n + 1], ring[next], ring[next + 1]];
      // Rows whose centres, half a pixel below their edge, the line crosses.
      const from = Math.max(first, Math.ceil(Math.min(y, toY) - 0.5));
      const to = Math.min(last, Math.ceil(Math.max(y, toY) - 0.5));
      for (let row = from; row < to; row++)
        crossings[row - first].push(x + ((row + 0.5 - y) * (toX - x)) / (toY - y));
    }
  for (const [n, places] of crossings.entries()) {
    places.sort((a, b) => a - b);
    for (let m = 0; m + 1 < places.length; m += 2)
      fill(first + n, Math.ceil(places[m] - 0.5), Math.ceil(places[m + 1] - 0.5));
  }
}
