import { hash32, RandomStream, randomKey } from '../../core/index.ts';

// What lies where on a synthetic slide: signed distances in microns, negative inside, as functions of the place alone. Glands, foci and
// tumours lie in the cells of grids, one in each at most, and do not reach beyond it: so a place is told from its own cell. None
// of them knows of the tumours, so that the tissue within a tumour is that beside it.

/** Signed distances of a place to the edges of what may lie there. */
export interface Distances {
  tissue: number;
  gland: number;
  focus: number;
  tumour: number;
}

/** Something round in a cell of a grid. */
interface Round {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** A grid with something in a share of its cells. */
interface Cells {
  /** Where the first cell begins, and the side of a cell, in microns. */
  readonly left: number;
  readonly top: number;
  readonly side: number;
  readonly share: number;
  readonly radii: readonly [least: number, most: number];
  /** How far edges are dented, of the radius. */
  readonly dent: number;
  readonly key: number;
}

/** What is not there is so far away, in microns; beyond tissue nothing else is looked for. */
const FAR = 100;
const BESIDE = 20;
/** Microns that the edge of what lies in a cell keeps from the cell's own. */
const EDGE = 10;
const UNIT = 2 ** -32;

/** Random numbers at whole places, from -1 to 1, and between them smoothly: they change over about one unit, and never repeat. */
export function smoothAt(key: number, x: number, y: number): number {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [fade(x - column), fade(y - row)];
  const low = mix(latticeAt(key, column, row), latticeAt(key, column + 1, row), u);
  const high = mix(latticeAt(key, column, row + 1), latticeAt(key, column + 1, row + 1), u);
  return mix(low, high, v);
}

export const fade = (f: number): number => f * f * (3 - 2 * f);
export const mix = (a: number, b: number, part: number): number => a + (b - a) * part;

/** 32 random bits of a whole place. */
export const placeBits = (key: number, column: number, row: number): number =>
  hash32(hash32((column ^ key) | 0) + row);

/** A random number of a whole place, from -1 to 1. */
export const latticeAt = (key: number, column: number, row: number): number =>
  2 * UNIT * placeBits(key, column, row) - 1;

export interface SlidePlanOptions {
  /** Microns along each side of the slide. */
  readonly side: number;
  /** The part of the slide that tissue covers. */
  readonly share: number;
  readonly seed: number;
  readonly index: number;
  /** Whether there are tumours, as there are by default. */
  readonly tumours?: boolean;
}

/** Side of the grids' cells in microns, where the tissue is large enough. */
const TUMOUR_CELL = 1800;
const FOCUS_CELL = 640;
const GLAND_CELL = 190;

export class SlidePlan {
  private readonly middle: number;
  private readonly reach: number;
  private readonly key: number;
  private readonly tumours: Cells | undefined;
  private readonly chosen: number;
  private readonly foci: Cells;
  private readonly glands: Cells;

  constructor({ side, share, seed, index, tumours = true }: SlidePlanOptions) {
    const random = new RandomStream(seed, index, 21);
    this.key = randomKey(seed, index, 22);
    this.middle = side / 2;
    // The area within |x|^4 + |y|^4 = 1 is 3.708.
    this.reach = side * Math.sqrt(share / 3.708);
    const extent = 2 * this.reach;
    const cells = Math.max(1, Math.round(extent / TUMOUR_CELL));
    const start = this.middle - this.reach;
    const grid = { left: start, top: start };
    const cell = extent / cells;
    this.chosen = Math.floor(random.between(0, cells * cells));
    this.tumours = tumours
      ? {
          ...grid,
          side: cell,
          share: 0.5,
          radii: [0.2 * cell, 0.33 * cell],
          dent: 0.12,
          key: randomKey(seed, index, 23),
        }
      : undefined;
    this.foci = {
      ...{ left: 0, top: 0, side: FOCUS_CELL, share: 0.5, dent: 0.2 },
      ...{ radii: [60, 110], key: randomKey(seed, index, 24) },
    };
    this.glands = {
      ...{ left: 0, top: 0, side: GLAND_CELL, share: 0.6, dent: 0.15 },
      ...{ radii: [32, 58], key: randomKey(seed, index, 25) },
    };
  }

  /** Distances at a place, in microns from the upper left corner. */
  at(x: number, y: number, out: Distances): void {
    out.tissue = this.tissueAt(x, y);
    if (out.tissue > BESIDE) {
      out.gland = out.focus = out.tumour = FAR;
      return;
    }
    out.gland = distanceIn(this.glands, x, y);
    out.focus = distanceIn(this.foci, x, y);
    out.tumour = this.tumours ? distanceIn(this.tumours, x, y, this.chosen, this.cellsAlong) : FAR;
  }

  private get cellsAlong(): number {
    return Math.round((2 * this.reach) / this.tumours!.side);
  }

  private tissueAt(x: number, y: number): number {
    const [u, v] = [(x - this.middle) / this.reach, (y - this.middle) / this.reach];
    const [uu, vv] = [u * u, v * v];
    const round = (Math.sqrt(Math.sqrt(uu * uu + vv * vv)) - 1) * this.reach;
    const cell = 0.15 * this.reach;
    if (round > 0.06 * this.reach + BESIDE) return round;
    return round + 0.05 * this.reach * smoothAt(this.key, x / cell, y / cell);
  }
}

/** The distance to what lies in the cell of a place. Of `chosen`, among `along` cells a row, something is there in any case. */
function distanceIn(cells: Cells, x: number, y: number, chosen = -1, along = 0): number {
  const [column, row] = [Math.floor((x - cells.left) / cells.side), Math.floor((y - cells.top) / cells.side)];
  const found = roundIn(cells, column, row, chosen >= 0 && row * along + column === chosen);
  if (found === undefined) return FAR;
  const [dx, dy] = [x - found.x, y - found.y];
  const beyond = Math.sqrt(dx * dx + dy * dy) - found.radius;
  if (Math.abs(beyond) > found.radius) return beyond;
  const size = 0.7 * found.radius;
  return beyond + cells.dent * found.radius * smoothAt(cells.key ^ 0x5bd1e995, x / size, y / size);
}

/** What lies in a cell: its dented edge stays within. */
function roundIn(
  { left, top, side, share, radii, dent, key }: Cells,
  column: number,
  row: number,
  certain: boolean,
): Round | undefined {
  const draw = (n: number): number => UNIT * placeBits(key + n, column, row);
  if (!certain && draw(0) >= share) return undefined;
  const radius = mix(radii[0], radii[1], draw(1));
  const room = side / 2 - (1 + dent) * radius - EDGE;
  const at = (n: number): number => side / 2 + (2 * draw(n) - 1) * Math.max(0, room);
  return { x: left + column * side + at(2), y: top + row * side + at(3), radius };
}
