import { fail } from '../../core/index.ts';
import type { LabelRegion, PostprocessOptions } from '../../imaging/index.ts';
import { finder, regroup } from '../config/known-names.ts';

/**
 * How a segmentation is cleaned up, by names (or numbers) of classes; in the order of the keys. Several classes that are one
 * thing are joined by a plus: a liver with its tumours is `liver+tumour`.
 */
export interface Cleaning {
  /** Of each only the largest connected part stays. */
  readonly largestComponent?: readonly string[];
  /** Background that a class encloses becomes that class. */
  readonly fillHoles?: readonly string[];
  /** Lesions stay only in their organ: the lesion by the organ. */
  readonly inside?: Readonly<Record<string, string>>;
  /** Smaller parts go, mm^3 by class. */
  readonly minSize?: Readonly<Record<string, number>>;
}

/**
 * The same by numbers of classes. Of a region, a set of them, the largest component may be kept; the other steps are those of single
 * classes. Throws HalomeshError for a name that is none of them.
 */
export function cleaningOf(
  cleaning: Cleaning,
  classes: readonly string[],
  regions: readonly LabelRegion[] = [],
): PostprocessOptions {
  const { largestComponent = [], fillHoles = [], inside = {}, minSize = {} } = cleaning;
  const several = (name: string, where: string): readonly number[] => labelsOf(name, classes, regions, where);
  const label = (name: string, where: string): number => {
    const labels = several(name, where);
    if (labels.length === 1) return labels[0];
    const parts = labels.map((cls) => `${cls} (${classes[cls]})`).join(', ');
    return fail({ where, problem: `"${name}" is a region of several labels`, expected: `one of ${parts}` });
  };
  const names = [...classes, ...regions.map(({ name }) => name)];
  const whole = finder(names, ',');
  const known = (name: string): string | undefined => whole(name) ?? finder(names, '+')(name);
  const region = (names: string): number | readonly number[] => {
    // A class may have a plus in its name: it goes before the joining of others.
    const labels = (known(names) === undefined ? regroup(names.split('+'), '+', known) : [names]).flatMap(
      (name) => several(known(name) ?? name, 'largest component'),
    );
    return labels.length === 1 ? labels[0] : [...new Set(labels)];
  };
  return {
    largest: regroup(largestComponent, ',', whole).map(region),
    fillHoles: regroup(fillHoles, ',', whole).map((name) => label(name, 'fill holes')),
    inside: Object.entries(inside).map(([lesion, organ]) => {
      const [one, other] = pairOf(`${lesion}=${organ}`, whole) ?? [lesion, organ];
      return { lesion: label(one, 'inside'), organ: label(other, 'inside') };
    }),
    minimumSize: Object.entries(minSize).map(([name, volume]) => ({
      label: label(whole(name) ?? name, 'minimum size'),
      volume,
    })),
  };
}

/** Two known names with an equals sign between them, which may be in the names too. */
function pairOf(text: string, known: (name: string) => string | undefined): [string, string] | undefined {
  for (let at = text.indexOf('='); at >= 0; at = text.indexOf('=', at + 1)) {
    const [one, other] = [known(text.slice(0, at)), known(text.slice(at + 1))];
    if (one !== undefined && other !== undefined) return [one, other];
  }
  return undefined;
}

/** Whether anything is asked for. */
export const cleans = ({ largest, fillHoles, inside, minimumSize }: PostprocessOptions): boolean =>
  [largest, fillHoles, inside, minimumSize].some((step) => (step?.length ?? 0) > 0);

function labelsOf(
  name: string,
  classes: readonly string[],
  regions: readonly LabelRegion[],
  where: string,
): readonly number[] {
  const region = regions.find((one) => one.name === name);
  if (region !== undefined) return region.classes;
  const known = classes.indexOf(name);
  const label = known >= 0 ? known : /^\d+$/.test(name) ? Number(name) : -1;
  if (label > 0 && label < classes.length) return [label];
  return fail({
    where,
    problem: 'no such class, or the background',
    expected: [...new Set([...regions.map((one) => one.name), ...classes.slice(1)])].join(', '),
    found: name,
  });
}
