import { printable } from '../../core/index.ts';
import { inNaturalOrder, readText, sameForm, systemErrorReason } from '../../files/index.ts';
import { classNamesProblem, idProblem } from '../store/dataset-names.ts';
import type { StoreCases } from '../store/open-store.ts';
import { ImagingError } from '../volume/errors.ts';
import type { DatasetPatterns, FoundCases } from './dataset-files.ts';
import type { DatasetDescription } from './dataset-json.ts';

// One label an image: the class that it belongs to as a whole, by its name.

/** The labels of images, by the ids of their cases. */
export interface ImageLabels {
  /** The file that says them. */
  readonly file: string;
  /** Names of the classes 0, 1, 2... */
  readonly classes: readonly string[];
  readonly of: ReadonlyMap<string, string>;
}

/**
 * Reads the labels of images from a table of comma-separated values whose first row names the columns, `id` and `label` among them, in
 * UTF-8 and quoted as RFC 4180 has it. The classes are the names that occur, in natural order. Throws ImagingError for what is no such
 * table, for an id that is there twice or can name no case, and for names that cannot be those of classes.
 */
export async function readImageLabels(file: string): Promise<ImageLabels> {
  let text: string;
  try {
    text = await readText(file);
  } catch (error) {
    const found = systemErrorReason(error);
    throw new ImagingError(
      { file, field: 'image labels', expected: 'a file that can be read', found },
      { cause: error },
    );
  }
  const [header = { line: 1, fields: [] }, ...rows] = rowsOf(text.replace(/^\ufeff/, ''), file);
  const columns = ['id', 'label'].map((name) => {
    const places = header.fields.flatMap((field, n) => (field.trim().toLowerCase() === name ? [n] : []));
    if (places.length === 1) return places[0];
    return refuse(file, 1, `columns id and label, each once`, shown(header.fields.join(',')));
  });
  const of = new Map<string, string>();
  for (const { line, fields } of rows) {
    if (fields.length !== header.fields.length)
      refuse(file, line, `${header.fields.length} columns, as in the first line`, `${fields.length}`);
    const [id, label] = columns.map((n) => sameForm(fields[n].trim()));
    const problem = idProblem(id);
    if (problem !== undefined) refuse(file, line, 'the id of an image', problem);
    if (of.has(id)) refuse(file, line, 'each id once', `${shown(id)} twice`);
    if (label === '') refuse(file, line, `a label of ${shown(id)}`, 'none');
    of.set(id, label);
  }
  if (of.size === 0) refuse(file, 2, 'an image with its label', 'none');
  return { file, classes: classesOf(of.values(), file), of };
}

/** The labels of images that a table or the list of a dataset.json gives; undefined where neither does. */
export async function imageLabelsOf(
  { cases }: FoundCases,
  { labels }: DatasetDescription,
  { imageLabels }: DatasetPatterns,
  json: string,
): Promise<ImageLabels | undefined> {
  if (imageLabels !== undefined) return readImageLabels(imageLabels);
  const of = new Map(
    cases.flatMap(({ id, imageLabel }) => (imageLabel === undefined ? [] : [[id, imageLabel] as const])),
  );
  if (of.size === 0) return undefined;
  // Beside label maps the names of "labels" are those of their values.
  const named = labels && cases.every(({ label }) => label === undefined);
  if (!named) return { file: json, classes: classesOf(of.values(), json), of };
  const classes = [...labels].sort(([a], [b]) => a - b).map(([, name]) => name);
  for (const [id, label] of of)
    if (!classes.includes(label))
      throw new ImagingError({
        file: json,
        field: `class of case ${id}`,
        expected: `one of ${classes.join(', ')}, as "labels" has it`,
        found: shown(label),
      });
  return { file: json, classes, of };
}

type LabelledStore = Omit<StoreCases, 'test'> & Pick<Labelled<StoreCases['cases'][number]>, 'test'>;

interface Labelled<T> {
  readonly cases: readonly T[];
  readonly test: readonly T[];
  readonly imageClasses: readonly string[];
}

/** Scans by whether their label is known; `faults` is told of labels of images that there are none of. */
export function withImageLabels<T extends { readonly id: string }>(
  { cases, test }: { readonly cases: readonly T[]; readonly test: readonly T[] },
  { file, classes, of }: ImageLabels,
  faults: ImagingError[],
): Labelled<T & { readonly imageLabel?: string }> {
  const all = [...cases, ...test].sort((a, b) => inNaturalOrder(a.id, b.id));
  const known = new Set(all.map(({ id }) => id));
  for (const id of of.keys())
    if (!known.has(id)) {
      const expected = 'the id of an image of the data set';
      const hint = 'Add the image, or take its label out.';
      faults.push(
        new ImagingError({
          file,
          field: 'image labels',
          expected,
          found: `${shown(id)}, which is none`,
          hint,
        }),
      );
    }
  return {
    cases: all.flatMap((entry) => {
      const imageLabel = of.get(entry.id);
      return imageLabel === undefined ? [] : [{ ...entry, imageLabel }];
    }),
    test: all.filter(({ id }) => !of.has(id)),
    imageClasses: classes,
  };
}

/** A store as a data set, with the labels of images that a table gives, where there is one. */
export async function labelledStore(
  store: StoreCases,
  { imageLabels }: DatasetPatterns,
): Promise<{ dataset: LabelledStore; unlabelled: readonly []; faults: readonly ImagingError[] }> {
  if (imageLabels === undefined) return { dataset: store, unlabelled: [], faults: [] };
  const faults: ImagingError[] = [];
  const labels = await readImageLabels(imageLabels);
  return { dataset: { ...store, ...withImageLabels(store, labels, faults) }, unlabelled: [], faults };
}

/** Cases that all have a label map. Throws ImagingError for the first one that has none, as where images have one label. */
export function withLabelMaps<
  T extends { readonly image: string; readonly id: string; readonly label?: string },
>(cases: readonly T[]): (T & { readonly label: string })[] {
  return cases.map((entry) => {
    const { id, image, label } = entry;
    if (label !== undefined) return { ...entry, label };
    throw new ImagingError({
      file: image,
      field: `label of case ${id}`,
      expected: 'a label map',
      found: 'none: the data set says the class of the image as a whole',
      hint: 'Networks that learn it are trained with --task classify.',
    });
  });
}

/** The number of the class that the image of a case belongs to. Throws ImagingError where it has none, or one that is not among them. */
export function imageClassOf(
  { id, image, imageLabel }: { readonly id: string; readonly image: string; readonly imageLabel?: string },
  classes: readonly string[],
): number {
  const cls = imageLabel === undefined ? -1 : classes.indexOf(imageLabel);
  if (cls >= 0) return cls;
  throw new ImagingError({
    file: image,
    field: `class of case ${id}`,
    expected: `one of ${classes.join(', ')}`,
    found: imageLabel === undefined ? 'none' : shown(imageLabel),
    hint: 'Give it in dataset.json ("class") or in a table (--image-labels).',
  });
}

/** Names of classes in natural order. Throws ImagingError where they cannot be those of classes. */
export function classesOf(labels: Iterable<string>, file: string): readonly string[] {
  const classes = [...new Set(labels)].sort(inNaturalOrder);
  checkClasses(classes, file);
  return classes;
}

/** Refuses names that cannot be those of classes. */
export function checkClasses(classes: readonly string[], file: string): void {
  const found = classNamesProblem(classes);
  if (found === undefined) return;
  throw new ImagingError({ file, field: 'image labels', expected: 'names of at most 256 classes', found });
}

const shown = (text: string): string => `"${printable(text.slice(0, 80))}"`;

function refuse(file: string, line: number, expected: string, found: string): never {
  throw new ImagingError({
    file,
    field: `line ${line}`,
    expected,
    found,
    hint: 'A table of image labels begins with the line id,label and has a line for each image.',
  });
}

interface Row {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** The rows of a table of comma-separated values, but for empty lines. */
function rowsOf(text: string, file: string): Row[] {
  const rows: Row[] = [];
  let fields: string[] = [];
  let [line, begun] = [1, 1];
  let at = 0;
  while (at < text.length) {
    let field: string;
    if (text[at] === '"') {
      const quoted = /"([^"]*(?:""[^"]*)*)"/y;
      quoted.lastIndex = at;
      const [whole, inner] = quoted.exec(text) ?? refuse(file, line, 'a quote that ends', 'none');
      at += whole.length;
      line += whole.split('\n').length - 1;
      field = inner.replaceAll('""', '"');
    } else {
      const plain = /[^,\r\n]*/y;
      plain.lastIndex = at;
      [field] = plain.exec(text)!;
      at += field.length;
    }
    fields.push(field);
    const ends = at >= text.length || text[at] === '\n' || text[at] === '\r';
    if (!ends && text[at] !== ',')
      refuse(file, line, 'a comma behind a quote', shown(text.slice(at, at + 20).split(/[\r\n]/)[0]));
    if (!ends) {
      at++;
      // A comma at the very end has an empty field behind it.
      if (at >= text.length) fields.push('');
      else continue;
    }
    if (text.startsWith('\r\n', at)) at++;
    at++;
    line++;
    if (fields.length > 1 || fields[0].trim() !== '') rows.push({ line: begun, fields });
    fields = [];
    begun = line;
  }
  return rows;
}
