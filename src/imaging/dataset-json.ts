import { z } from 'zod';
import { readJsonFile, writeTextAtomically } from '../files/index.ts';
import { ImagingError, systemErrorReason } from './errors.ts';

/** What a dataset.json of the Decathlon or of nnU-Net v2 says, in one form. */
export interface DatasetDescription {
  readonly name?: string;
  /** The names of label values 0, 1, 2... */
  readonly labelNames?: readonly string[];
  /** The name of its one channel, such as `CT`. */
  readonly channel?: string;
  /** What the names of its files end in, such as `.nii.gz`. */
  readonly fileEnding?: string;
  /** Its list of cases, paths as they are written there; `id` where the list gives one. */
  readonly training?: readonly { readonly id?: string; readonly image: string; readonly label: string }[];
  readonly test?: readonly string[];
}

const channels = z.record(z.string(), z.string()).optional();

const schema = z.object({
  name: z.string().optional(),
  /** Decathlon: {"0": "background", ...}; nnU-Net v2: {"background": 0, ...}, and lists for regions. */
  labels: z
    .record(
      z.string(),
      z.union([z.string(), z.number(), z.array(z.number())], { error: 'a name or a number' }),
    )
    .optional(),
  /** Decathlon and nnU-Net 1; nnU-Net 2. */
  modality: channels,
  channel_names: channels,
  file_ending: z.string().optional(),
  training: z.array(z.object({ image: z.string(), label: z.string() })).optional(),
  test: z.array(z.union([z.string(), z.object({ image: z.string() })])).optional(),
  /** nnU-Net v2's list of cases that lie elsewhere. */
  dataset: z.record(z.string(), z.object({ images: z.array(z.string()), label: z.string() })).optional(),
});

/** Reads a dataset.json. Throws ImagingError where it is none or asks for what cannot be trained on. */
export async function readDescription(file: string): Promise<DatasetDescription> {
  const content = parse(await readJson(file), file);
  checkChannels(content, file);
  const listed = Object.entries(content.dataset ?? {}).map(([id, { images, label }]) => {
    if (images.length !== 1) refuseChannels(file, `dataset.${id}.images`, `${images.length} files`);
    return { id, image: images[0], label };
  });
  return {
    name: content.name,
    labelNames: content.labels && namesOf(content.labels, file),
    channel: Object.values(content.channel_names ?? content.modality ?? {})[0],
    fileEnding: content.file_ending,
    training: content.training ?? (content.dataset && listed),
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
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown>)[key];
  const found = JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
  throw new ImagingError({ file, field: issue.path.join('.') || 'content', expected: issue.message, found });
}

function checkChannels({ channel_names, modality }: z.infer<typeof schema>, file: string): void {
  const names = Object.values(channel_names ?? modality ?? {});
  const field = channel_names === undefined ? 'modality' : 'channel_names';
  if (names.length > 1) refuseChannels(file, field, `${names.length}: ${names.join(', ')}`);
}

function refuseChannels(file: string, field: string, found: string): never {
  const hint = 'Only images of one channel (CT) are supported.';
  throw new ImagingError({ file, field, expected: 'one channel', found, hint });
}

/** Names by value; the values must be 0, 1, 2... without gaps, as they number the network's outputs. */
function namesOf(labels: Readonly<Record<string, string | number | number[]>>, file: string): string[] {
  const names: string[] = [];
  for (const [key, value] of Object.entries(labels)) {
    if (Array.isArray(value)) {
      const hint = 'Regions of several values are not supported: give each value a name of its own.';
      const found = `the region [${value.join(', ')}]`;
      throw new ImagingError({ file, field: `labels.${key}`, expected: 'one value', found, hint });
    }
    const name = typeof value === 'number' ? key : value;
    if (name === 'ignore') {
      const hint = 'Voxels cannot be left out of training: give them a class, or take the label out.';
      const field = 'labels.ignore';
      throw new ImagingError({ file, field, expected: 'no label to ignore', found: `${value}`, hint });
    }
    names[typeof value === 'number' ? value : Number(key)] = name;
  }
  const count = Object.keys(labels).length;
  if (names.length !== count || count > 256 || Object.keys(names).length !== count) {
    const expected = 'the values 0, 1, 2... each with one name, at most 256';
    // Of so many values one is missing, or all are there.
    const missing = Array.from(names.slice(0, count), (name, value) =>
      name === undefined ? [value] : [],
    ).flat();
    const gap = missing.length > 0 && names.length > 0 ? `no name for ${missing.join(', ')} in ` : '';
    throw new ImagingError({ file, field: 'labels', expected, found: `${gap}${JSON.stringify(labels)}` });
  }
  return names;
}

/** What is told of a data set that is written: CT of one channel whose cases all have label maps. */
export interface WrittenDescription {
  readonly name: string;
  readonly description?: string;
  readonly labelNames?: readonly string[];
  readonly training: readonly { readonly image: string; readonly label: string }[];
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
