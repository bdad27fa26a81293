import { printable } from '../../core/index.ts';
import { nameProblem } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';

// Names that data sets give their cases and classes. They stand in paths, tables, flags and JSON.

/** Label maps are read as bytes. */
const mostClasses = 256;

/** Characters of a class's name at most. */
const longestClass = 100;

/**
 * What is wrong with the names of label values 0, 1, 2..., as words after "found"; undefined where nothing is: there are at most
 * 256, each once, none empty, longer than 100 characters or with control characters in it.
 */
export function classNamesProblem(names: readonly (string | null | undefined)[]): string | undefined {
  if (names.length > mostClasses) return `${names.length} names (at most ${mostClasses})`;
  const seen = new Map<string, number>();
  for (const [value, name] of [...names].entries()) {
    if (typeof name !== 'string') return `no name for ${value}`;
    if (name.trim() === '') return `an empty name for ${value}`;
    if (printable(name) !== name) return `control characters in the name of ${value}: "${printable(name)}"`;
    if (name.length > longestClass)
      return `a name of ${name.length} characters for ${value} (at most ${longestClass}): "${name.slice(0, 40)}..."`;
    const first = seen.get(name);
    if (first !== undefined) return `"${name}" for both ${first} and ${value}`;
    seen.set(name, value);
  }
  return undefined;
}

/** Why an id cannot name the files of a case, as words after "found"; undefined where it can. */
export function idProblem(id: string): string | undefined {
  // Files of the system and of stores begin so.
  if (id.startsWith('.') && id !== '.' && id !== '..') return `"${printable(id)}", which begins with a dot`;
  return nameProblem(id);
}

/**
 * Refuses ids that are one name where capitals or the form of Unicode do not count, as on the disks of many computers: files of the
 * cases are about to be written there. `source`: the data set.
 */
export function refuseSameNames(ids: Iterable<string>, source: string): void {
  const seen = new Map<string, string>();
  for (const id of ids) {
    const folded = id.normalize('NFC').toLowerCase().normalize('NFC');
    const other = seen.get(folded);
    if (other !== undefined)
      throw new ImagingError({
        file: source,
        field: 'cases',
        expected: 'ids that differ by more than capitals, as files get their names',
        found: `"${other}" and "${id}"`,
        hint: 'Rename one of them.',
      });
    seen.set(folded, id);
  }
}
