import { fail, shownValue } from '../../core/index.ts';
import { readJson } from '../config/config-error.ts';
import { isRecord, summaryOf } from './summary-file.ts';

/** An image as an evaluation lists it: its class, and the probability of each. */
export interface ListedImage {
  readonly id: string;
  readonly label: string;
  readonly probabilities: Readonly<Record<string, number>>;
}

/** What is read of an evaluation of a run that tells the classes of images as wholes. */
export interface ListedImages {
  /** The file. */
  readonly file: string;
  readonly classes: readonly string[];
  readonly images: readonly ListedImage[];
}

/** Whether the summary of a run, an evaluation or a cross-validation is one of images as wholes. */
export const isOfImages = (place: string): boolean => {
  const content = readJson(summaryOf(place));
  return isRecord(content) && content.task === 'classify';
};

/** The images of such a summary, by its folder or file; of the kind that it shows first. */
export function readImages(place: string): ListedImages {
  const file = summaryOf(place);
  const content = readJson(file);
  const refuse = (found: unknown): never =>
    fail({
      where: file,
      problem: 'is no summary of an evaluation of images as wholes',
      expected: 'images with their class and the probability of each class',
      found: shownValue(found),
    });
  if (!isRecord(content) || !Array.isArray(content.images) || !Array.isArray(content.classes))
    return refuse(content);
  const classes = content.classes.map((entry: unknown) =>
    isRecord(entry) && typeof entry.name === 'string' ? entry.name : refuse(entry),
  );
  const images = content.images.map((entry: unknown): ListedImage => {
    if (!isRecord(entry) || typeof entry.id !== 'string' || !isRecord(entry.probabilities))
      return refuse(entry);
    const { id, label, probabilities } = entry;
    if (typeof label !== 'string' || !classes.includes(label)) return refuse(entry);
    const of = classes.map((name) => {
      const value = Object.hasOwn(probabilities, name) ? probabilities[name] : undefined;
      return typeof value === 'number' && Number.isFinite(value) ? ([name, value] as const) : refuse(entry);
    });
    return { id, label, probabilities: Object.fromEntries(of) };
  });
  return { file, classes, images };
}
