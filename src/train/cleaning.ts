import { fail } from '../core/index.ts';
import type { PostprocessOptions } from '../imaging/index.ts';

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

/** The same by numbers of classes. Throws HalomeshError for a name that is none of the classes. */
export function cleaningOf(cleaning: Cleaning, classes: readonly string[]): PostprocessOptions {
  const { largestComponent = [], fillHoles = [], inside = {}, minSize = {} } = cleaning;
  const label = (name: string, where: string): number => labelOf(name, classes, where);
  const region = (names: string): number | readonly number[] => {
    const labels = names.split('+').map((name) => label(name, 'largest component'));
    return labels.length === 1 ? labels[0] : labels;
  };
  return {
    largest: largestComponent.map(region),
    fillHoles: fillHoles.map((name) => label(name, 'fill holes')),
    inside: Object.entries(inside).map(([lesion, organ]) => ({
      lesion: label(lesion, 'inside'),
      organ: label(organ, 'inside'),
    })),
    minimumSize: Object.entries(minSize).map(([name, volume]) => ({
      label: label(name, 'minimum size'),
      volume,
    })),
  };
}

/** Whether anything is asked for. */
export const cleans = ({ largest, fillHoles, inside, minimumSize }: PostprocessOptions): boolean =>
  [largest, fillHoles, inside, minimumSize].some((step) => (step?.length ?? 0) > 0);

function labelOf(name: string, classes: readonly string[], where: string): number {
  const known = classes.indexOf(name);
  const label = known >= 0 ? known : /^\d+$/.test(name) ? Number(name) : -1;
  if (label > 0 && label < classes.length) return label;
  return fail({
    where,
    problem: 'no such class, or the background',
    expected: classes.slice(1).join(', '),
    found: name,
  });
}
