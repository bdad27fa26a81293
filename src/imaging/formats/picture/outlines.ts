// Outlines of the parts of a label map that is read row by row. A part is a set of pixels of one value that are neighbours by their
// sides. Its rings run along the corners of pixels, x to the right and y down, with the part on their right hand: so the shoelace
// sum of the outer ring is positive, that of holes negative. A ring passes no corner twice, as polygons of GeoJSON must not.

/** Corners of a ring, x and y in turns; the last one is joined to the first. */
export type Ring = Int32Array;

/** Pixels of one value that are neighbours. */
export interface Outlined {
  readonly value: number;
  readonly outer: Ring;
  readonly holes: readonly Ring[];
}

interface Corner {
  readonly x: number;
  readonly y: number;
  /** Whether the value meets itself across this corner, so that a ring may come here again. */
  readonly meets: boolean;
  next?: Corner;
}

/** What is known of a part: it may turn out to be one with another part further down. */
interface Part {
  into?: Part;
  value: number;
  /** Rings that are not closed yet. */
  open: number;
  rings: Ring[];
}

/** A piece of a ring, from its first corner on to its last. */
interface Chain {
  into?: Chain;
  readonly part: Part;
  first: Corner;
  last: Corner;
}

/**
 * Takes the rows of a label map and gives each part when its last row is known. Memory holds two rows and the rings of the parts that
 * are not whole: it grows with the length of outlines, not with pixels.
 */
export class OutlineTracer {
  private readonly width: number;
  private readonly take: (part: Outlined) => void;
  private y = 0;
  /** The row above the line that is looked at, and the row below it, each with a 0 at both ends. */
  private above: Uint8Array;
  private below: Uint8Array;
  /** By column, of the pixels to the left and right of it: the pieces that go down there, and those that come up from there. */
  private readonly down: Chain[];
  private readonly up: Chain[];
  private closed: Part[] = [];

  constructor(width: number, take: (part: Outlined) => void) {
    this.width = width;
    this.take = take;
    this.above = new Uint8Array(width + 2);
    this.below = new Uint8Array(width + 2);
    this.down = new Array<Chain>(width + 1);
    this.up = new Array<Chain>(width + 1);
  }

  /** Takes rows that follow those before; their values 0 are no parts. */
  rows(values: Uint8Array): void {
    for (let at = 0; at < values.length; at += this.width) {
      this.below.set(values.subarray(at, at + this.width), 1);
      this.line();
    }
  }

  /** Ends the map. */
  end(): void {
    this.below.fill(0);
    this.line();
  }

  /**
   * Follows all rings along the line between two rows, from corner to corner. Around a corner lie the pixels
   *
   *     a b     above
   *     d e     below
   *
   * and each of their groups (equal pixels that are neighbours) has one ring here, which turns unless it is a pair.
   */
  private line(): void {
    const { above, below, down, up, width, y } = this;
    // Along the edge to the left of the corner: of the pixel above it, which is passed leftwards, and of that below, rightwards.
    let over: Chain | undefined;
    let under: Chain | undefined;
    let left: Chain | undefined;
    let [a, d] = [0, 0];
    for (let x = 0; x <= width; x++) {
      const b = above[x + 1];
      const e = below[x + 1];
      const [ab, ad, be, de] = [a === b, a === d, b === e, d === e];
      if (!(ab && de) && !(ad && be)) {
        const corner = (meets: boolean): Corner => ({ x, y, meets });
        if (a !== 0 && !ab && !ad) this.join(down[x], over!, corner(a === e));
        if (b !== 0 && !ab && !be) over = this.before(up[x], corner(b === d));
        if (b !== 0 && be && de && !ab && !ad) this.join(under!, up[x], corner(false));
        if (a !== 0 && ad && de && !ab && !be) under = this.after(down[x], corner(false));
        else if (a !== 0 && ab && be && !ad && !de) up[x] = this.before(over!, corner(false));
        else if (a !== 0 && ab && ad && !be && !de) over = down[x] = this.begin(a, corner(false));
        if (d !== 0 && !ad && !de) down[x] = this.after(under!, corner(b === d));
        if (e !== 0 && !be && !de) under = up[x] = this.begin(e, corner(a === e));
      }
      if (!de) {
        // A run of pixels ends here, and another begins: both of its sides belong to one part.
        if (d !== 0) unite(left!.part, down[x].part);
        left = up[x];
      }
      [a, d] = [b, e];
    }
    for (const part of this.closed) this.give(rootOf(part));
    this.closed = [];
    [this.above, this.below] = [below, above];
    this.y++;
  }

  private begin(value: number, corner: Corner): Chain {
    return { part: { value, open: 1, rings: [] }, first: corner, last: corner };
  }

  private after(piece: Chain, corner: Corner): Chain {
    const chain = chainOf(piece);
    chain.last.next = corner;
    chain.last = corner;
    return chain;
  }

  private before(piece: Chain, corner: Corner): Chain {
    const chain = chainOf(piece);
    corner.next = chain.first;
    chain.first = corner;
    return chain;
  }

  /** A ring goes on, at a corner, from the end of a piece to the beginning of another one, or closes. */
  private join(from: Chain, to: Chain, corner: Corner): void {
    const chain = this.after(from, corner);
    const other = chainOf(to);
    const part = unite(chain.part, other.part);
    part.open--;
    if (chain !== other) {
      chain.last.next = other.first;
      chain.last = other.last;
      other.into = chain;
      return;
    }
    for (const ring of simpleRings(chain.first)) part.rings.push(ring);
    if (part.open === 0) this.closed.push(part);
  }

  private give(part: Part): void {
    if (part.open > 0 || part.rings.length === 0) return;
    const outer = part.rings.find((ring) => twiceArea(ring) > 0)!;
    this.take({ value: part.value, outer, holes: part.rings.filter((ring) => ring !== outer) });
    part.rings = [];
  }
}

function chainOf(chain: Chain): Chain {
  let root = chain;
  while (root.into !== undefined) root = root.into;
  for (let at = chain; at !== root; ) {
    const next: Chain = at.into!;
    at.into = root;
    at = next;
  }
  return root;
}

function rootOf(part: Part): Part {
  let root = part;
  while (root.into !== undefined) root = root.into;
  for (let at = part; at !== root; ) {
    const next: Part = at.into!;
    at.into = root;
    at = next;
  }
  return root;
}

function unite(one: Part, other: Part): Part {
  const [a, b] = [rootOf(one), rootOf(other)];
  if (a === b) return a;
  const [more, fewer] = a.rings.length < b.rings.length ? [b, a] : [a, b];
  for (const ring of fewer.rings) more.rings.push(ring);
  more.open += fewer.open;
  fewer.into = more;
  fewer.rings = [];
  return more;
}

/** The rings of a closed chain: it is cut where it comes to a corner again. */
function simpleRings(first: Corner): Ring[] {
  const rings: Ring[] = [];
  const path: Corner[] = [];
  const met = new Map<string, number>();
  for (let corner: Corner | undefined = first; corner !== undefined; corner = corner.next) {
    if (corner.meets) {
      const key = `${corner.x},${corner.y}`;
      const before = met.get(key);
      if (before !== undefined) {
        for (const { x, y, meets } of path.slice(before + 1)) if (meets) met.delete(`${x},${y}`);
        rings.push(ringOf(path.splice(before)));
      }
      met.set(key, path.length);
    }
    path.push(corner);
  }
  rings.push(ringOf(path));
  return rings;
}

/** Begins with the corner that is uppermost, of several the one to the left. */
function ringOf(path: readonly Corner[]): Ring {
  let first = 0;
  for (const [n, { x, y }] of path.entries())
    if (y < path[first].y || (y === path[first].y && x < path[first].x)) first = n;
  const ring = new Int32Array(2 * path.length);
  for (let n = 0; n < path.length; n++) {
    const { x, y } = path[(first + n) % path.length];
    ring[2 * n] = x;
    ring[2 * n + 1] = y;
  }
  return ring;
}

/** Twice the area that a ring goes around, negative for a hole. */
export function twiceArea(ring: Ring): number {
  let sum = 0;
  for (let n = 0; n < ring.length; n += 2) {
    const next = (n + 2) % ring.length;
    sum += ring[n] * ring[next + 1] - ring[next] * ring[n + 1];
  }
  return sum;
}
