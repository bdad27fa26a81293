import { fail, markdownTable, markdownText } from '../../core/index.ts';
import { type ComparedAuc, compareAucs } from '../../imaging/index.ts';
import { readImages } from './image-summary-file.ts';

/** A class against all others, in the images that both evaluations have. */
export interface ComparedImageClass {
  readonly name: string;
  readonly images: number;
  /** Null where all images are of the class, or none is. */
  readonly auc: ComparedAuc | null;
}

export interface ImageComparison {
  readonly task: 'classify';
  readonly first: string;
  readonly second: string;
  readonly images: number;
  /** Of two classes the second one alone: what tells it tells the first. */
  readonly classes: readonly ComparedImageClass[];
  /** Images that one of them lacks. */
  readonly apart: readonly string[];
}

/** Compares two evaluations of the classes of images, by their folders, those of their runs, or files. Refuses two that do not fit each other. */
export function compareImageRuns(first: string, second: string): ImageComparison {
  const [a, b] = [readImages(first), readImages(second)];
  const sorted = (names: readonly string[]): string => names.toSorted().join(', ');
  if (sorted(a.classes) !== sorted(b.classes))
    fail({
      where: b.file,
      problem: `has other classes than ${a.file}`,
      expected: sorted(a.classes),
      found: sorted(b.classes),
    });
  const other = new Map(b.images.map((image) => [image.id, image]));
  const shared = a.images.filter(({ id }) => other.has(id));
  if (shared.length === 0)
    fail({
      where: b.file,
      problem: `has no image of ${a.file}`,
      expected: `some of ${
        a.images
          .slice(0, 5)
          .map(({ id }) => id)
          .join(', ') || 'none'
      }`,
      found:
        b.images
          .slice(0, 5)
          .map(({ id }) => id)
          .join(', ') || 'none',
    });
  for (const { id, label } of shared)
    if (other.get(id)!.label !== label)
      fail({
        where: b.file,
        problem: `image "${id}" is of another class than in ${a.file}`,
        expected: label,
        found: other.get(id)!.label,
      });
  const names = a.classes.length === 2 ? a.classes.slice(1) : a.classes;
  const classes = names.map((name) => {
    const truth = shared.map(({ label }) => label === name);
    const auc = compareAucs(
      shared.map(({ probabilities }) => probabilities[name]),
      shared.map(({ id }) => other.get(id)!.probabilities[name]),
      truth,
    );
    return { name, images: truth.filter(Boolean).length, auc };
  });
  const both = new Set(shared.map(({ id }) => id));
  const apart = [...a.images, ...b.images].map(({ id }) => id).filter((id) => !both.has(id));
  return { task: 'classify', first: a.file, second: b.file, images: shared.length, classes, apart };
}

/** Such a comparison as Markdown. */
export function imageComparisonMarkdown(found: ImageComparison): string {
  const numbers = (...titles: string[]) => titles.map((title) => ({ title, right: true }));
  const fixed = (value: number | null | undefined): string => (value == null ? '-' : value.toFixed(4));
  const { first, second, images, classes, apart } = found;
  return [
    `A: ${markdownText(first)}\nB: ${markdownText(second)}`,
    `${images} images in both.`,
    markdownTable(
      [{ title: 'class' }, ...numbers('images', 'AUC A', 'AUC B', 'B - A', 'p')],
      classes.map(({ name, images: own, auc }) => [
        ...[name, `${own}`, fixed(auc?.first), fixed(auc?.second)],
        ...[fixed(auc && auc.second - auc.first), fixed(auc?.p)],
      ]),
    ),
    `p: two-sided test of the AUC of both on the same images (DeLong, DeLong & Clarke-Pearson 1988); not corrected for the number of classes.${
      apart.length === 0 ? '' : ` Only in one of them: ${markdownText(apart.join(', '))}.`
    }`,
  ].join('\n\n');
}
