/** Points of a leaf are looked at one by one. */
const LEAF = 8;

/**
 * Finds the nearest of some points in space, exactly, in a k-d tree: ranges of points are halved at their middle across the longer
 * extent. Holds 36 bytes a point. `places`: x, y, z of each.
 */
export class NearestPoints {
  private readonly places: Float64Array;
  /** Numbers of the points, in the order of the tree. */
  private readonly order: Int32Array;
  /** Axis and place of each cut, by number of the node: node n is cut into 2 n + 1 and 2 n + 2. */
  private readonly axes: Uint8Array;
  private readonly cuts: Float64Array;
  private readonly place = new Float64Array(3);
  private best = 0;
  private bestSquare = Number.POSITIVE_INFINITY;

  constructor(places: Float64Array) {
    const count = places.length / 3;
    this.places = places;
    this.order = Int32Array.from({ length: count }, (_, n) => n);
    const nodes = 2 ** (Math.ceil(Math.log2(Math.max(1, count / LEAF))) + 1);
    this.axes = new Uint8Array(nodes);
    this.cuts = new Float64Array(nodes);
    this.build(0, 0, count);
  }

  get count(): number {
    return this.order.length;
  }

  /** Number of the point nearest to a place; undefined where there are no points. */
  nearest(x: number, y: number, z: number): number | undefined {
    if (this.count === 0) return undefined;
    // Places are asked for one beside the other: what was nearest to the last one is near this one.
    this.bestSquare = this.squareTo(this.best, x, y, z);
    this.place[0] = x;
    this.place[1] = y;
    this.place[2] = z;
    this.search(0, 0, this.count, 0, 0, 0);
    return this.best;
  }

  private squareTo(point: number, x: number, y: number, z: number): number {
    const { places } = this;
    const [dx, dy, dz] = [places[3 * point] - x, places[3 * point + 1] - y, places[3 * point + 2] - z];
    return dx * dx + dy * dy + dz * dz;
  }

  private build(node: number, from: number, end: number): void {
    if (end - from <= LEAF) return;
    const { places, order } = this;
    let axis = 0;
    let widest = -1;
    for (let a = 0; a < 3; a++) {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let n = from; n < end; n++) {
        const value = places[3 * order[n] + a];
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (high - low > widest) [axis, widest] = [a, high - low];
    }
    const middle = (from + end) >> 1;
    this.select(from, end - 1, middle, axis);
    this.axes[node] = axis;
    this.cuts[node] = places[3 * order[middle] + axis];
    this.build(2 * node + 1, from, middle);
    this.build(2 * node + 2, middle, end);
  }

  /** Brings the point that belongs at `middle` along an axis there, smaller ones before it (Hoare's selection). */
  private select(first: number, last: number, middle: number, axis: number): void {
    const { places, order } = this;
    let [low, high] = [first, last];
    while (low < high) {
      const pivot = places[3 * order[(low + high) >> 1] + axis];
      let [i, j] = [low, high];
      while (i <= j) {
        while (places[3 * order[i] + axis] < pivot) i++;
        while (places[3 * order[j] + axis] > pivot) j--;
        if (i <= j) {
          const kept = order[i];
          order[i++] = order[j];
          order[j--] = kept;
        }
      }
      if (middle <= j) high = j;
      else if (middle >= i) low = i;
      else return;
    }
  }

  /** Looks at a range of points, from whose box the place is at least so far away along each axis. */
  private search(node: number, from: number, end: number, ax: number, ay: number, az: number): void {
    const { place } = this;
    if (end - from <= LEAF) {
      for (let n = from; n < end; n++) {
        const point = this.order[n];
        const square = this.squareTo(point, place[0], place[1], place[2]);
        if (square < this.bestSquare) {
          this.best = point;
          this.bestSquare = square;
        }
      }
      return;
    }
    const middle = (from + end) >> 1;
    const axis = this.axes[node];
    const beyond = place[axis] - this.cuts[node];
    const [low, high] = [2 * node + 1, 2 * node + 2];
    if (beyond < 0) this.search(low, from, middle, ax, ay, az);
    else this.search(high, middle, end, ax, ay, az);
    const [bx, by, bz] = [axis === 0 ? beyond : ax, axis === 1 ? beyond : ay, axis === 2 ? beyond : az];
    if (bx * bx + by * by + bz * bz >= this.bestSquare) return;
    if (beyond < 0) this.search(high, middle, end, bx, by, bz);
    else this.search(low, from, middle, bx, by, bz);
  }
}
