import { fail, shownValue } from '../../core/index.ts';
import { sameForm } from '../../files/index.ts';

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

/** Finds a name whatever the form of its letters and whatever blanks stand around a mark; one that is the same goes first. */
export function finder(names: readonly string[], mark: string): (name: string) => string | undefined {
  const plain = (name: string): string =>
    sameForm(name)
      .split(mark)
      .map((piece) => piece.trim())
      .join(mark);
  const same = new Set(names);
  const alike = new Map(names.toReversed().map((name) => [plain(name), name]));
  return (name) => (same.has(name) ? name : alike.get(plain(name)));
}

const LESION = /lesion|tumou?r|cancer|metasta|nodule/i;

/** The first class, or region, whose name says that its parts are counted one by one. */
export const lesionOf = (names: readonly string[]): string | undefined =>
  names.find((name) => LESION.test(name));

/** Ids in a message at most: there may be thousands. */
const SHOWN = 20;

/**
 * Ids as the cases have them, whatever the form of their letters; refuses others. `cut`: the ids come from a list that was split at
 * its commas, which may be in ids.
 */
export function knownIds(
  given: readonly string[],
  cases: readonly { readonly id: string }[],
  { where, cut = false }: { readonly where: string; readonly cut?: boolean },
): readonly string[] {
  const ids = cases.map(({ id }) => id);
  const find = finder(ids, ',');
  return (cut ? regroup(given, ',', find) : given).map((id) => find(id) ?? refuseId(id, ids, where));
}

function refuseId(id: string, ids: readonly string[], where: string): never {
  const shown = `${ids.slice(0, SHOWN).join(', ')}${ids.length > SHOWN ? ', ...' : ''}`;
  const whole = ids.find((one) => one.includes(',') && one.split(',').some((part) => part.trim() === id));
  return fail({
    where,
    problem: `expected case ids (${shown}), found ${shownValue(id)}`,
    hint: whole === undefined ? undefined : `The id "${whole}" has a comma in it: give it whole`,
  });
}
