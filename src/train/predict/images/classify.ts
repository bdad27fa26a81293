import path from 'node:path';
import { fail, HalomeshError } from '../../../core/index.ts';
import { checkOutputs, makeFolder, writeTextAtomically } from '../../../files/index.ts';
import { likeliest } from '../../../imaging/index.ts';
import { together } from '../../../run/index.ts';
import { channelNamesOf } from '../../config/normalization.ts';
import type { EnsembleOptions } from '../ensemble.ts';
import { configOfRun } from '../open-run.ts';
import { csvText } from '../outputs/csv.ts';
import type { PredictionFault } from '../predict-options.ts';
import { type ChannelledScan, channelsOfInput, checkChannels, groupedScans } from '../scan-channels.ts';
import { checkInput, filesOfScan, scanName, scansIn } from '../scans.ts';
import { Classifier, type ClassifySettings } from './classifier.ts';

/** Images to classify, and the table to write. */
export interface ClassifyOptions extends EnsembleOptions, Omit<ClassifySettings, 'onNote'> {
  /** An image, as `predict` takes it, or a folder of images. */
  readonly input: string;
  /** The file to write, a line for each image: `.csv`, or `.json`. Its folder is made. */
  readonly output: string;
  /** UID, number or description of the scan's series, where its folder holds several. */
  readonly series?: string;
  /** Number of the scan's volume, from 0, where its file or series holds several. */
  readonly volume?: number;
  /** Whether scans whose axes lean (gantry tilt) are resampled upright; by default as the run was trained. */
  readonly resampleTilt?: boolean;
  /** Whether an output that is there is replaced; it is refused by default. */
  readonly overwrite?: boolean;
  readonly onEvent?: (event: ClassifyEvent) => void;
}

/** An image and what it is. */
export interface ClassifiedImage {
  readonly input: string;
  readonly id: string;
  /** The likeliest class. */
  readonly label: string;
  /** By class; together 1. */
  readonly probabilities: Readonly<Record<string, number>>;
}

export interface ClassifyResult {
  readonly output: string;
  readonly classes: readonly string[];
  readonly images: readonly ClassifiedImage[];
  /** Images that cannot be used; they are not in the table. */
  readonly faults: readonly PredictionFault[];
  readonly checkpoint: 'best' | 'latest';
  /** Steps that the network was trained for. */
  readonly step: number;
}

export type ClassifyEvent =
  | {
      readonly kind: 'image';
      readonly image: ClassifiedImage;
      readonly place: number;
      readonly images: number;
    }
  | { readonly kind: 'note'; readonly input: string; readonly note: string }
  | { readonly kind: 'fault'; readonly input: string; readonly error: Error };

/**
 * Tells the classes of images as wholes by a network that was trained with task `classify`, and writes a table of the probabilities of
 * every class; of several runs and ways to turn an image their means. Of a folder an image that cannot be used does not keep the others
 * from being classified: it is among the faults. Of several processes all call it, and process 0 writes. Throws ImagingError for an image,
 * HalomeshError for what cannot be done.
 */
export async function classify(options: ClassifyOptions): Promise<ClassifyResult> {
  const { input, output, processes, ensemble = [], flips, signal, onEvent } = options;
  const first = (processes?.index ?? 0) === 0;
  const names = channelNamesOf((await configOfRun(options)).config);
  const { scans, inFolder } = await together(processes, 'the images', () => imagesOf(options, names));
  const runs: Classifier[] = [];
  try {
    for (const run of [options.run, ...ensemble]) runs.push(await Classifier.open({ ...options, run }));
    const [{ classes, checkpoint }] = runs;
    for (const other of runs) checkClasses(runs[0], other);
    await together(processes, 'the file to write', async () => {
      if (!first) return;
      const files = await Promise.all(scans.map((scan) => filesOfScan({ ...scan, output, format: 'nifti' })));
      checkOutputs({
        reads: [...runs.flatMap(({ reads }) => reads), ...files.flat()],
        writes: [output],
        overwrite: options.overwrite,
      });
      makeFolder(path.dirname(path.resolve(output)));
    });
    const images: ClassifiedImage[] = [];
    const faults: PredictionFault[] = [];
    for (const [n, scan] of scans.entries()) {
      signal?.throwIfAborted();
      try {
        checkChannels(scan, names);
        const onNote = (note: string): void => onEvent?.({ kind: 'note', input: scan.input, note });
        const means = classes.map(() => 0);
        for (const run of runs) {
          const entry = {
            id: scanName(scan.input),
            image: scan.input,
            channels: scan.channels,
            ...leanOf(run, options),
          };
          const found = await run.classify(entry, { flips, signal, onNote });
          for (const cls of means.keys()) means[cls] += found[cls] / runs.length;
          // One network is in memory at a time.
          if (runs.length > 1) run.free();
        }
        const image = imageOf(scan.input, classes, means);
        images.push(image);
        onEvent?.({ kind: 'image', image, place: n + 1, images: scans.length });
      } catch (error) {
        if (!inFolder || !(error instanceof HalomeshError)) throw error;
        faults.push({ input: scan.input, error });
        onEvent?.({ kind: 'fault', input: scan.input, error });
      }
    }
    const step = runs[0].step ?? 0;
    const result = { output, classes, images, faults, checkpoint, step };
    await together(processes, 'the table', async () => {
      if (first && images.length > 0) await writeTextAtomically(output, tableOf(result, input, options.run));
    });
    return result;
  } finally {
    for (const run of runs) run.free();
  }
}

/** How a scan whose axes lean is read. */
function leanOf({ config }: Classifier, { series, resampleTilt = config.resampleTilt }: ClassifyOptions) {
  return { series, ...(resampleTilt && { lean: 'resample' as const }) };
}

/** The images that an input stands for. Refuses an output that is no table, and images that would have one id. */
async function imagesOf(
  { input, output, series, volume }: ClassifyOptions,
  names: readonly string[],
): Promise<{ scans: readonly ChannelledScan[]; inFolder: boolean }> {
  if (names.length === 1 || !input.includes(',')) await checkInput(input);
  const inputs = await scansIn(input);
  const scans = inputs
    ? groupedScans(inputs, names, volume)
    : [await channelsOfInput(input, names, { series, volume })];
  if (!/\.(csv|json)$/i.test(output))
    fail({
      where: output,
      problem: 'name of the output of a run that tells the classes of images',
      expected: 'a name that ends in .csv or .json',
      found: path.basename(output),
      hint: 'One table holds the probabilities of all images',
    });
  const taken = new Map<string, string>();
  for (const { input: file } of scans) {
    const other = taken.get(scanName(file));
    if (other !== undefined)
      fail({ where: file, problem: 'two images have one id', found: `${scanName(file)}, as ${other}` });
    taken.set(scanName(file), file);
  }
  return { scans, inFolder: inputs !== undefined };
}

function checkClasses(first: Classifier, other: Classifier): void {
  if (first.classes.join('\n') === other.classes.join('\n')) return;
  fail({
    where: other.folder.dir,
    problem: `other classes than ${first.folder.dir}`,
    expected: first.classes.join(', '),
    found: other.classes.join(', '),
  });
}

function imageOf(
  input: string,
  classes: readonly string[],
  probabilities: readonly number[],
): ClassifiedImage {
  return {
    ...{ input, id: scanName(input), label: classes[likeliest({ probabilities })] },
    probabilities: Object.fromEntries(classes.map((name, cls) => [name, probabilities[cls]])),
  };
}

function tableOf({ output, classes, images, checkpoint, step }: ClassifyResult, input: string, run: string) {
  if (/\.json$/i.test(output))
    return `${JSON.stringify({ run, checkpoint, step, input, classes, images }, null, 2)}\n`;
  return csvText([
    ['id', 'label', ...classes.map((name) => `probability ${name}`)],
    ...images.map(({ id, label, probabilities }) => [
      id,
      label,
      ...classes.map((name) => probabilities[name]),
    ]),
  ]);
}
