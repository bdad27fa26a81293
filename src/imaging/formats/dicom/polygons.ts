// Polygons filled by the even-odd rule.

/** Corners in voxels, (column, row). */
export type Polygon = readonly (readonly [column: number, row: number])[];

/** A plane in an array of voxels. */
export interface FillPlane {
  /** The place of its first voxel, and how far the next one of its row, and of its column, are. */
  readonly from: number;
  readonly step: number;
  readonly row: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Tells the places of all voxels whose centres lie within an odd number of the polygons. A centre on an edge is within where the inside
 * lies at higher columns or rows, so polygons side by side share no voxel and leave none out.
 */
export function fillPolygons(
  polygons: readonly Polygon[],
  plane: FillPlane,
  put: (place: number) => void,
): void {
  const { from, step, row, width, height } = plane;
  const crossings: number[][] = Array.from({ length: height }, () => []);
  for (const polygon of polygons)
    for (const [n, [x, y]] of polygon.entries()) {
      const [toX, toY] = polygon[(n + 1) % polygon.length];
      const [low, high] = y < toY ? [y, toY] : [toY, y];
      for (let j = Math.max(0, Math.ceil(low)); j < Math.min(height, high); j++)
        crossings[j].push(x + ((j - y) * (toX - x)) / (toY - y));
    }
  for (const [j, places] of crossings.entries()) {
    places.sort((a, b) => a - b);
    for (let n = 0; n + 1 < places.length; n += 2) {
      const end = Math.min(width, Math.ceil(places[n + 1]));
      for (let i = Math.max(0, Math.ceil(places[n])); i < end; i++) put(from + j * row + i * step);
    }
  }
}
