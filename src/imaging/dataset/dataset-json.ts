import { z } from 'zod';
import { shownValue } from '../../core/index.ts';
import { readJsonFile, systemErrorReason, writeTextAtomically } from '../../files/index.ts';
import { isPictureName } from '../formats/picture/picture-grid.ts';
import { classNamesProblem } from '../store/dataset-names.ts';
import { mostChannels } from '../store/format.ts';
import { ImagingError } from '../volume/errors.ts';
import { type GivenLabels, hasRegions, IGNORE, type NamedRegion, regionsOf } from './label-regions.ts';

/** What a dataset.json of the Decathlon or of nnU-Net v2 says, in one form. */
export interface DatasetDescription {
  readonly name?: string;
  /** Names of label values. */
  readonly labels?: ReadonlyMap<number, string>;
  /** Sets of these values that are found one by one, in the order in which they are written. */
  readonly regions?: readonly NamedRegion[];
  /** Names of its channels, such as `CT`. */
  readonly channelNames?: readonly string[];
  /** What the names of its files end in, such as `.nii.gz`. */
  readonly fileEnding?: string;
  /** Its list of cases, paths as they are written there; `id` and a file for each channel where the list gives them. */
  readonly training?: readonly {
    readonly id?: string;
    readonly image: string;
    readonly channels?: readonly string[];
    /** Its label map. */
    readonly label?: string;
    /** The class of the image as a whole. */
    readonly class?: string;
  }[];
  readonly test?: readonly string[];
}

const text = z.string({ error: 'a text' });
const path = z.string({ error: 'the path of one file' });

/** Values by names that a file gives, `__proto__` among them. */
const byName = <T>(value: z.ZodType<T>, error: string) =>
  z.unknown().transform((given, context): ReadonlyMap<string, T> => {
    const found = new Map<string, T>();
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      context.addIssue({ code: 'custom', message: error, input: given });
    else
      for (const [name, one] of Object.entries(given)) {
        const parsed = value.safeParse(one);
        if (parsed.success) found.set(name, parsed.data);
        for (const { path, message } of parsed.error?.issues ?? [])
          context.addIssue({ code: 'custom', message, path: [name, ...path], input: one });
      }
    return found;
  });

const listed = (form: string) => ({ error: `an object such as ${form}` });
const list = (of: string) => ({ error: `a list of ${of}` });
const pair = '{"image": PATH, "label": PATH}';
/** What is known of a case: its label map, the class of the image as a whole, or both. */
const truth = { label: path.optional(), class: z.string({ error: 'the name of a class' }).optional() };
const hasTruth = ({ label, class: cls }: { label?: string; class?: string }): boolean =>
  label !== undefined || cls !== undefined;
const someTruth = { path: ['label'], error: 'the path of one file, or the class of the image as "class"' };
const channels = byName(text, 'names of channels, such as {"0": "CT"}').optional();

const schema = z.object(
  {
    name: text.optional(),
    /** Decathlon: {"0": "background", ...}; nnU-Net v2: {"background": 0, ...}, and lists for regions. */
    labels: byName(
      z.union([z.string(), z.number(), z.array(z.number())], {
        error: 'a name, a value, or a list of values',
      }),
      'values and names, such as {"0": "background", "1": "liver"}',
    ).optional(),
    /** nnU-Net v2: the value that each region is written with. */
    regions_class_order: z.array(z.number({ error: 'a value' }), list('values')).optional(),
    /** Decathlon and nnU-Net 1; nnU-Net 2. */
    modality: channels,
    channel_names: channels,
    file_ending: text.optional(),
    training: z
      .array(z.object({ image: path, ...truth }, listed(pair)).refine(hasTruth, someTruth), list(pair))
      .optional(),
    test: z
      .array(
        z.union([z.string(), z.object({ image: z.string() })], { error: 'a path, or {"image": PATH}' }),
        list('paths'),
      )
      .optional(),
    /** nnU-Net v2's list of cases that lie elsewhere. */
    dataset: byName(
      z
        .object(
          { images: z.array(path, list('paths')), ...truth },
          listed('{"images": [PATH], "label": PATH}'),
        )
        .refine(hasTruth, someTruth),
      'cases by their ids, such as {"a": {"images": [PATH], "label": PATH}}',
    ).optional(),
  },
  { error: 'an object such as {"labels": {"0": "background", "1": "liver"}}' },
);

/** Reads a dataset.json. Throws ImagingError where it is none or asks for what cannot be trained on. */
export async function readDescription(file: string): Promise<DatasetDescription> {
  const content = parse(await readJson(file), file);
  const channelNames = channelsOf(content, file);
  const count = channelNames?.length ?? 1;
  const elsewhere = [...(content.dataset ?? [])].map(([id, { images, ...known }]) => {
    // A picture holds its colours in one file.
    const isWhole = images.length === 1 && isPictureName(images[0]);
    if (images.length !== count && !isWhole)
      throw new ImagingError({
        file,
        field: `dataset.${id}.images`,
        expected: `${count} ${count === 1 ? 'file' : 'files'}, one for each channel`,
        found: `${images.length}`,
        hint: channelNames && `Its channels are ${channelNames.join(', ')}.`,
      });
    return { id, image: images[0], ...(count > 1 && !isWhole && { channels: images }), ...known };
  });
  const { labels } = content;
  const sets =
    labels && hasRegions(labels) ? regionsOf(labels, content.regions_class_order, file) : undefined;
  return {
    name: content.name,
    labels: sets?.names ?? (labels && namesOf(labels, file)),
    ...(sets && { regions: sets.regions }),
    channelNames,
    fileEnding: content.file_ending,
    training: content.training ?? (content.dataset && elsewhere),
    test: content.test?.map((entry) => (typeof entry === 'string' ? entry : entry.image)),
  };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return await readJsonFile(file);
  } catch (error) {
    const found = error instanceof SyntaxError ? error.message : systemErrorReason(error);
    throw new ImagingError({ file, field: 'content', expected: 'JSON', found }, { cause: error });
  }
}

function parse(content: unknown, file: string): z.infer<typeof schema> {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  let value: unknown = content;
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown> | null)?.[key];
  const field = issue.path.join('.') || 'content';
  throw new ImagingError({ file, field, expected: issue.message, found: shownValue(value) });
}

/** Names of the channels in the order of their numbers; undefined where there are none. */
function channelsOf(
  { channel_names, modality }: z.infer<typeof schema>,
  file: string,
): readonly string[] | undefined {
  const given = channel_names ?? modality;
  if (given === undefined || given.size === 0) return undefined;
  const field = channel_names === undefined ? 'modality' : 'channel_names';
  const numbered = [...given].map(([key, name]) => ({ key: Number(key), name }));
  numbered.sort((a, b) => a.key - b.key);
  if (numbered.some(({ key }, n) => key !== n) || numbered.length > mostChannels) {
    const expected = `names of the channels 0, 1, 2..., at most ${mostChannels}`;
    const found = [...given.keys()].slice(0, 20).join(', ');
    throw new ImagingError({ file, field, expected, found });
  }
  return numbered.map(({ name }) => name);
}

/** Names by value, 0 among them. */
function namesOf(labels: GivenLabels, file: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const refuse = (problem: string): never => {
    const expected = 'values from 0 to 255, 0 among them, each with one name';
    const found = `${problem} in ${shownValue(Object.fromEntries(labels))}`;
    throw new ImagingError({ file, field: 'labels', expected, found });
  };
  for (const [key, given] of labels) {
    // A list of one value is that value.
    if (typeof given === 'object' && given.length === 0) refuse(`no value for "${key}"`);
    const entry = typeof given === 'object' ? given[0] : given;
    const name = typeof entry === 'number' ? key : entry;
    const value = typeof entry === 'number' ? entry : /^\d+$/.test(key) ? Number(key) : Number.NaN;
    if (!(Number.isInteger(value) && value >= 0 && value < 256))
      refuse(typeof entry === 'number' ? `the value ${entry} of "${name}"` : `no value for "${key}"`);
    if (names.has(value)) refuse(`"${names.get(value)}" and "${name}" for ${value}`);
    names.set(value, name);
  }
  const sorted = [...names].sort(([a], [b]) => a - b).map(([, name]) => name);
  const problem = labels.size === 0 ? 'none' : !names.has(0) ? 'no name for 0' : classNamesProblem(sorted);
  return problem === undefined ? names : refuse(problem);
}

/** What is told of a data set that is written: CT of one channel whose cases all have label maps. */
export interface WrittenDescription {
  readonly name: string;
  readonly description?: string;
  readonly labelNames?: readonly string[];
  /** `class`: of the image as a whole. */
  readonly training: readonly { readonly image: string; readonly label: string; readonly class?: string }[];
}

/** Writes a dataset.json in the Decathlon's form; it appears whole. */
export async function writeDescription(
  file: string,
  { name, description, labelNames, training }: WrittenDescription,
): Promise<void> {
  const content = {
    name,
    description,
    tensorImageSize: '3D',
    modality: { 0: 'CT' },
    labels: labelNames && Object.fromEntries(labelNames.entries()),
    numTraining: training.length,
    numTest: 0,
    training,
    test: [],
  };
  await writeTextAtomically(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** What is told of a data set in the folders of nnU-Net v2, where the files tell the cases. */
export interface NnunetDescription {
  readonly name: string;
  readonly description?: string;
  readonly labelNames: readonly string[];
  /** Sets of values that are found one by one, in place of names of values above 0, and the value that is ignored beside them. */
  readonly regions?: readonly NamedRegion[];
  readonly ignore?: number;
  readonly channelNames: readonly string[];
  readonly cases: number;
  readonly fileEnding: string;
  /** The cases with the class of each image as a whole; paths from the folder of the data set. */
  readonly listed?: readonly {
    readonly id: string;
    readonly images: readonly string[];
    readonly label: string;
    readonly class: string;
  }[];
}

/** Writes a dataset.json in the form of nnU-Net v2; it appears whole. */
export async function writeNnunetDescription(file: string, told: NnunetDescription): Promise<void> {
  const { name, description, labelNames, regions, ignore, channelNames, cases, fileEnding, listed } = told;
  const sets = regions?.map(({ name: label, values }) => [label, values.length === 1 ? values[0] : values]);
  const content = {
    ...{ name, description },
    channel_names: Object.fromEntries(channelNames.entries()),
    labels: sets
      ? Object.fromEntries([[labelNames[0], 0], ...sets, ...(ignore === undefined ? [] : [[IGNORE, ignore]])])
      : Object.fromEntries(labelNames.map((label, value) => [label, value])),
    ...(regions && { regions_class_order: regions.map(({ value }) => value) }),
    numTraining: cases,
    file_ending: fileEnding,
    ...(listed && { dataset: Object.fromEntries(listed.map(({ id, ...files }) => [id, files])) }),
  };
  await writeTextAtomically(file, `${JSON.stringify(content, null, 2)}\n`);
}
