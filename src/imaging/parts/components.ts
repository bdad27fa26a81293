import { ImagingError } from '../volume/errors.ts';
import { checkShape, type Shape3, voxelCount } from '../volume/volume.ts';

/** Which voxels touch: those with a common face (6), face or edge (18), face, edge or corner (26). */
export type Connectivity = 6 | 18 | 26;

/**
 * Connected parts of a set of voxels, as runs along the width. A run takes 12 bytes: an organ of a CT of 512^3 voxels has about
 * a million of them (12 MB), and 2^26 are the most that a volume of that size can have (800 MB, every second voxel).
 */
export interface Components {
  readonly shape: Shape3;
  /** How many parts there are; they are numbered from 0 in the order of their first voxels. */
  readonly count: number;
  /** Run r covers voxels start[r] to end[r] - 1 of the array; runs are in the order of the array and never pass the end of a row. */
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  /** The part that run r belongs to. */
  readonly part: Int32Array;
  /** Voxels of each part. */
  readonly voxels: Float64Array;
}

/** A table of 256 flags, for {@link connectedComponents}. */
export function labelSet(labels: readonly number[], others = false): Uint8Array {
  const flags = new Uint8Array(256).fill(others ? 1 : 0);
  for (const label of labels) {
    if (!(Number.isInteger(label) && label >= 0 && label < 256))
      throw new ImagingError({ field: 'class', expected: 'a whole number from 0 to 255', found: `${label}` });
    flags[label] = others ? 0 : 1;
  }
  return flags;
}

/**
 * The connected parts of the voxels whose label has a flag in `chosen` (of {@link labelSet}), [depth, height, width]. Linear in
 * the voxels: runs are joined with those of the rows before (union by the first run, with path halving).
 * Throws ImagingError if the labels do not fill the shape.
 */
export function connectedComponents(
  labels: Uint8Array,
  shape: Shape3,
  chosen: Uint8Array,
  connectivity: Connectivity,
): Components {
  checkLabels(labels, shape);
  const [depth, height, width] = shape;
  const { start, end, rows } = findRuns(labels, shape, chosen);
  const parent = Int32Array.from(start, (_, run) => run);
  const find = (run: number): number => {
    let at = run;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  };
  // Rows before this one that have a voxel beside it, and how far to the side that may be.
  const neighbours = rowsBefore(connectivity);
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      const row = k * height + j;
      if (rows[row] === rows[row + 1]) continue;
      for (const { dk, dj, slack } of neighbours) {
        const [z, y] = [k + dk, j + dj];
        if (z < 0 || y < 0 || y >= height) continue;
        const other = z * height + y;
        let b = rows[other];
        const lastB = rows[other + 1];
        // Puts runs of the other row at the places of this one.
        const shift = (row - other) * width;
        for (let a = rows[row]; a < rows[row + 1] && b < lastB; ) {
          const from = start[b] + shift;
          const to = end[b] + shift;
          if (from < end[a] + slack && start[a] < to + slack) {
            const [p, q] = [find(a), find(b)];
            if (p < q) parent[q] = p;
            else parent[p] = q;
          }
          if (end[a] < to) a++;
          else b++;
        }
      }
    }
  }
  return numbered({ shape, start, end }, parent);
}

/** Roots precede their runs, so one pass in order numbers the parts. */
function numbered(
  { shape, start, end }: Pick<Components, 'shape' | 'start' | 'end'>,
  parent: Int32Array,
): Components {
  let count = 0;
  for (let run = 0; run < parent.length; run++)
    parent[run] = parent[run] === run ? count++ : parent[parent[run]];
  const voxels = new Float64Array(count);
  for (let run = 0; run < parent.length; run++) voxels[parent[run]] += end[run] - start[run];
  return { shape, count, start, end, part: parent, voxels };
}

function rowsBefore(connectivity: Connectivity): { dk: number; dj: number; slack: number }[] {
  const rows = [
    { dk: 0, dj: -1, away: 1 },
    { dk: -1, dj: 0, away: 1 },
    { dk: -1, dj: -1, away: 2 },
    { dk: -1, dj: 1, away: 2 },
  ];
  // How many of the three indices may differ.
  const most = { 6: 1, 18: 2, 26: 3 }[connectivity];
  if (most === undefined)
    throw new ImagingError({ field: 'connectivity', expected: '6, 18 or 26', found: `${connectivity}` });
  return rows
    .filter(({ away }) => away <= most)
    .map(({ dk, dj, away }) => ({ dk, dj, slack: away < most ? 1 : 0 }));
}

/** Runs, counted first so that they take no more than they need; `rows` has the first run of every row. */
function findRuns(labels: Uint8Array, shape: Shape3, chosen: Uint8Array) {
  const [depth, height, width] = shape;
  const rows = new Uint32Array(depth * height + 1);
  let count = 0;
  for (let row = 0, n = 0; row < depth * height; row++) {
    rows[row] = count;
    let before = 0;
    for (const last = n + width; n < last; n++) {
      const flag = chosen[labels[n]];
      count += flag & ~before;
      before = flag;
    }
  }
  rows[depth * height] = count;
  const start = new Uint32Array(count);
  const end = new Uint32Array(count);
  for (let row = 0; row < depth * height; row++) {
    let n = row * width;
    for (let run = rows[row]; run < rows[row + 1]; run++) {
      while (!chosen[labels[n]]) n++;
      start[run] = n;
      const last = (row + 1) * width;
      while (n < last && chosen[labels[n]]) n++;
      end[run] = n;
    }
  }
  return { start, end, rows };
}

/** Writes the label of each part into its voxels; parts without one stay as they are. */
export function paintParts(
  labels: Uint8Array,
  { start, end, part }: Components,
  labelOf: (part: number) => number | undefined,
): void {
  for (let run = 0; run < part.length; run++) {
    const label = labelOf(part[run]);
    if (label !== undefined) labels.fill(label, start[run], end[run]);
  }
}

/** For each part, whether it has a voxel on a face of the volume. */
function reachesFaces({ shape, count, start, end, part }: Components): Uint8Array {
  const [depth, height, width] = shape;
  const reached = new Uint8Array(count);
  for (let run = 0; run < part.length; run++) {
    const row = Math.floor(start[run] / width);
    const [k, j] = [Math.floor(row / height), row % height];
    const inner = k > 0 && k + 1 < depth && j > 0 && j + 1 < height;
    if (!inner || start[run] === row * width || end[run] === (row + 1) * width) reached[part[run]] = 1;
  }
  return reached;
}

/**
 * The voxels with a flag in `chosen`, joined by faces to parts, and which of these are holes: those that no path over faces of such
 * voxels leads out of to a face of the volume.
 */
export function holes(
  labels: Uint8Array,
  shape: Shape3,
  chosen: Uint8Array,
): { readonly parts: Components; readonly isHole: (part: number) => boolean } {
  const parts = connectedComponents(labels, shape, chosen, 6);
  const open = reachesFaces(parts);
  return { parts, isHole: (part) => open[part] === 0 };
}

/**
 * The label that most outer faces of each part touch, the lowest of them where several do; voxels outside of the volume count as
 * 0. Faces to labels without a flag in `counted` do not count; undefined for parts without a face that counts, and for those that
 * `wanted` is false for.
 */
export function labelsAround(
  labels: Uint8Array,
  { shape, count, start, end, part }: Components,
  wanted: (part: number) => boolean,
  counted: Uint8Array,
): (number | undefined)[] {
  const [depth, height, width] = shape;
  const plane = height * width;
  // Faces by label, of the wanted parts.
  const faces: (Float64Array | undefined)[] = Array.from({ length: count }, (_, n) =>
    wanted(n) ? new Float64Array(256) : undefined,
  );
  for (let run = 0; run < part.length; run++) {
    const touched = faces[part[run]];
    if (touched === undefined) continue;
    const own = labels[start[run]];
    const row = Math.floor(start[run] / width);
    const [k, j] = [Math.floor(row / height), row % height];
    touched[start[run] > row * width ? labels[start[run] - 1] : 0]++;
    touched[end[run] < (row + 1) * width ? labels[end[run]] : 0]++;
    for (let n = start[run]; n < end[run]; n++) {
      touched[j > 0 ? labels[n - width] : 0]++;
      touched[j + 1 < height ? labels[n + width] : 0]++;
      touched[k > 0 ? labels[n - plane] : 0]++;
      touched[k + 1 < depth ? labels[n + plane] : 0]++;
    }
    touched[own] = 0;
  }
  return faces.map((touched) => {
    if (touched === undefined) return undefined;
    let most: number | undefined;
    touched.forEach((n, label) => {
      if (n > 0 && counted[label] && n > (most === undefined ? 0 : touched[most])) most = label;
    });
    return most;
  });
}

/** Throws ImagingError if a label map does not fill its shape. */
export function checkLabels(labels: Uint8Array, shape: Shape3, field = 'labels'): void {
  checkShape(shape);
  if (labels.length === voxelCount(shape)) return;
  const expected = `${voxelCount(shape)} voxels for shape ${shape.join('x')}`;
  throw new ImagingError({ field, expected, found: `${labels.length}` });
}
