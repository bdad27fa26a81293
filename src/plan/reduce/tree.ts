// The tree along which ranks pass on small parts of an all-reduce. Parts are not combined on the way, since another order of sums
// has other bits: every rank sends those of its branch beside each other, the root combines all in the order of the group.

/** A place of the tree: those below it are the places from it on to `end`. */
export interface Branch {
  readonly parent: number | undefined;
  readonly children: readonly number[];
  readonly end: number;
}

/**
 * The tree over machines with so many ranks each, whose ranks have consecutive places; place 0 is the root. Ranks of one machine
 * come together at its first one, these at the root. Nobody gets more messages than the rounded-up logarithms (base 2) of the most
 * ranks of a machine and of the number of machines together, the result among them; and every branch is about as large as its
 * neighbours, so that the tree is as low as that allows.
 */
export function reduceTree(machines: readonly number[]): Branch[] {
  const key = machines.join(' ');
  const known = trees.get(key);
  if (known !== undefined) return known;
  const places: { parent: number | undefined; children: number[]; end: number }[] = [];
  const heads = machines.map((ranks) => {
    const first = places.length;
    for (let place = first; place < first + ranks; place++)
      places.push({ parent: undefined, children: [], end: place + 1 });
    return first;
  });
  /** Hangs all others below the first: as many of them as it may have children, each with those that follow it. */
  const hang = ([head, ...others]: readonly number[], most: number, mostBelow: number): void => {
    const branches = Math.min(most, others.length);
    for (let i = 0; i < branches; i++) {
      const from = Math.floor((i * others.length) / branches);
      const branch = others.slice(from, Math.floor(((i + 1) * others.length) / branches));
      places[head].children.push(branch[0]);
      places[branch[0]].parent = head;
      hang(branch, mostBelow, mostBelow);
    }
  };
  const hangAll = (members: readonly number[]): void => {
    const most = Math.ceil(Math.log2(members.length));
    // All but the root get the result too.
    hang(members, most, Math.max(1, most - 1));
  };
  machines.forEach((ranks, i) => {
    hangAll(Array.from({ length: ranks }, (_, n) => heads[i] + n));
  });
  hangAll(heads);
  for (let place = places.length - 1; place > 0; place--) {
    const above = places[places[place].parent!];
    above.end = Math.max(above.end, places[place].end);
  }
  trees.set(key, places);
  return places;
}

/** Trees that were made, by the ranks of their machines. */
const trees = new Map<string, Branch[]>();
