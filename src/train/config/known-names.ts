/**
 * Puts texts together again that were split at a mark which the names themselves may hold: `['a', 'b', 'c']` of `a,b,c` becomes
 * `['a,b', 'c']` where `a,b` is known. The longest known name wins; what is in none stays as it is. Blanks around marks do not
 * matter.
 */
export function regroup(
  pieces: readonly string[],
  mark: string,
  known: (name: string) => string | undefined,
): string[] {
  const names: string[] = [];
  for (let from = 0; from < pieces.length; ) {
    let to = pieces.length;
    let found: string | undefined;
    while (to > from + 1) {
      found = known(pieces.slice(from, to).join(mark));
      if (found !== undefined) break;
      to--;
    }
    names.push(found ?? pieces[from]);
    from = to;
  }
  return names;
}

/** Finds a name whatever blanks stand around a mark. */
export function finder(names: readonly string[], mark: string): (name: string) => string | undefined {
  const plain = (name: string): string =>
    name
      .split(mark)
      .map((piece) => piece.trim())
      .join(mark);
  return (name) => names.find((one) => plain(one) === plain(name));
}
