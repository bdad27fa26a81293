import { ImagingError } from '../../volume/errors.ts';
import { canonicalGrid } from '../../volume/orientation.ts';
import type { OpenScan, ScanHeader, ScanReadOptions } from '../../volume/scan-types.ts';
import type { VoxelArray } from '../../volume/volume.ts';
import type { ScanFiles } from '../scan-files.ts';
import { fillOutline, type Outline, type Outlines, parseOutlines } from './outline-read.ts';
import { rowsAsSlices } from './picture-grid.ts';
import { reopenedFile } from './reopened-file.ts';

/** Bytes of a text of outlines, at most. */
const mostBytes = 2 ** 29 - 2 ** 20;

/** An outline, and the value of its class. */
interface Valued {
  readonly outline: Outline;
  readonly value: number;
}

/**
 * Opens outlines on a picture (`options.onto`) as a label map. A class has the value that `options.structures` gives its name, in any
 * case of letters; others are left out with a note, and where two overlap the higher value stands. A pixel belongs to a polygon where its centre
 * lies within an odd number of its rings. Boxes are filled as they are asked for. Throws ImagingError for what is no such file, and where none of its classes
 * is known.
 */
export async function openOutlineScan(
  files: ScanFiles,
  file: string,
  { labels, onto, structures }: ScanReadOptions,
): Promise<OpenScan> {
  const refuse = (field: string, expected: string, found: string, hint: string): never => {
    throw new ImagingError({ file, field, expected, found, hint });
  };
  const asTruth = 'Give it as the label map of a picture in a data set.';
  if (!labels) return refuse('path', 'an image', 'outlines', asTruth);
  const grid = onto && canonicalGrid(onto);
  if (grid === undefined || grid.shape[0] !== 1)
    return refuse('grid', 'a picture that the outlines lie on', grid ? 'a volume' : 'none', asTruth);
  if (structures === undefined)
    return refuse(
      'labels',
      'names of classes',
      'none',
      'Name the labels in dataset.json as the classes are named.',
    );
  const source = await reopenedFile(files, file);
  if (source.size > mostBytes)
    refuse(
      'file size',
      `at most ${mostBytes} bytes`,
      `${source.size}`,
      'Write fewer corners, or a label map as TIFF.',
    );
  const found = parseOutlines(new TextDecoder().decode(await source.read(0, source.size)), file);
  const values = new Map([...structures].map(([name, value]) => [name.trim().toLowerCase(), value]));
  const known = found.outlines.flatMap((outline): Valued[] => {
    const value = values.get(outline.name.toLowerCase());
    return value === undefined ? [] : [{ outline, value }];
  });
  const others = new Set(
    found.outlines.map(({ name }) => name).filter((name) => !values.has(name.toLowerCase())),
  );
  if (known.length === 0 && found.outlines.length > 0)
    refuse(
      'classification.name',
      `one of ${[...structures.keys()].join(', ')}`,
      [...others].slice(0, 10).join(', '),
      'Name the labels in dataset.json as the classes are named.',
    );
  const ordered = known.toSorted((a, b) => a.value - b.value);
  const notes = notesOn(found, [...others]);
  const header: ScanHeader = {
    ...{ file, format: 'GeoJSON', type: 'uint8', slope: 1, intercept: 0, oriented: true },
    ...{ shape: grid.shape, affine: grid.affine },
    ...(notes.length > 0 && { notes }),
  };
  const [, height, width] = grid.shape;
  return {
    header,
    passing: rowsAsSlices(header),
    async read(slab, _, take) {
      const rows = Math.floor(slab.length / width);
      for (let row = 0; row < height; row += rows) {
        const last = Math.min(row + rows, height);
        const voxels = slab.subarray(0, (last - row) * width);
        paint(ordered, [row, last], [0, width], voxels);
        take(voxels, row);
      }
    },
    async box({ start, end }, out) {
      paint(ordered, [start[1], end[1]], [start[2], end[2]], out);
    },
    close: async () => {},
  };
}

/** Puts the values of a box into `out`; what comes later lies above. */
function paint(
  outlines: readonly Valued[],
  rows: readonly [number, number],
  [column0, column1]: readonly [number, number],
  out: VoxelArray,
): void {
  out.fill(0);
  const width = column1 - column0;
  for (const { outline, value } of outlines)
    fillOutline(outline, rows, (row, from, to) => {
      const start = (row - rows[0]) * width;
      const [first, last] = [Math.max(from, column0) - column0, Math.min(to, column1) - column0];
      if (last > first) out.fill(value, start + first, start + last);
    });
}

function notesOn({ nameless, open }: Outlines, others: readonly string[]): string[] {
  const some = others.slice(0, 5).join(', ') + (others.length > 5 ? '...' : '');
  return [
    ...(nameless > 0 ? [`${nameless} outlines without a class are left out`] : []),
    ...(others.length > 0 ? [`outlines of classes without a label are left out: ${some}`] : []),
    ...(open > 0 ? [`${open} points and lines are left out`] : []),
  ];
}
