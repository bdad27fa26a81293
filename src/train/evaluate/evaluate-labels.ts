import { existsSync, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../../core/index.ts';
import { inNaturalOrder, makeFolder, sameForm } from '../../files/index.ts';
import {
  type Case,
  type CaseComparison,
  canonicalGrid,
  compareCase,
  evaluation,
  IGNORED,
  ignoresVoxels,
  isPictureName,
  isZarr,
  type LabelCodes,
  type LabelMapping,
  type LabelRegion,
  loadCase,
  loadLabels,
  METRICS_VERSION,
  type MetricSettings,
  namedLabels,
  openDataset,
  paperWindow,
  postprocess,
  readScanHeader,
  spacingOf,
  withLabelMaps,
} from '../../imaging/index.ts';
import { type InOnePiece, plainly } from '../../run/index.ts';
import { judgedNames } from '../config/model.ts';
import { overlayPicture, savePicture } from '../pictures/index.ts';
import { type Cleaning, cleaningOf } from '../predict/cleaning.ts';
import { chosenCases } from './evaluate.ts';
import { checkEvaluation, overlayFile, writeSummary } from './evaluation-summary.ts';
import { type MetricOptions, metricSettings, type ScoredReport } from './metric-options.ts';
import { attemptPicture } from './overlay-parts.ts';

export interface EvaluateLabelsOptions extends MetricOptions {
  /** Folder of segmentations: a label map for each case, under the case's id (`ID.nii.gz`, or another format). */
  readonly predictions: string;
  /** Folder of a data set, or of label maps alone. */
  readonly data: string;
  /** Patterns of the images and label maps of a data set of another form. */
  readonly images?: string;
  readonly labels?: string;
  /** What values of all label maps stand for. */
  readonly mapLabels?: LabelMapping;
  /** Whether scans that lean are resampled upright, with all label maps. */
  readonly resampleTilt?: boolean;
  /** Ids of the cases to look at; all with a label map by default. */
  readonly cases?: readonly string[];
  /** What is done to every segmentation before it is compared; nothing by default. */
  readonly cleaning?: Cleaning;
  /** Folder that gets `summary.json`, `summary.md` and, where there are images, `overlays/CASE.png`. Absent: nothing is written. */
  readonly out?: string;
  /** Whether outputs that are there are replaced; they are refused by default. */
  readonly overwrite?: boolean;
  /** Whether overlays are drawn; they are by default. */
  readonly overlays?: boolean;
  /** Called after each case. */
  readonly onCase?: (id: string, done: number, all: number) => void;
  /** Told of a picture that cannot be drawn; all else goes on. */
  readonly onNote?: (text: string) => void;
  /** Compares the label maps of a case, and draws its picture. */
  readonly inOnePiece?: InOnePiece;
}

/** How good segmentations on disk are. */
export interface LabelsReport extends ScoredReport {
  readonly predictions: string;
}

/** A case whose files are there. */
interface Pair {
  readonly id: string;
  readonly image?: string;
  readonly series?: string;
  readonly lean?: Case['lean'];
  readonly channels?: Case['channels'];
  readonly label: string;
  readonly labelCodes?: LabelCodes;
}

/** Names of labels and of what is judged. */
interface Named {
  readonly classes: readonly string[];
  readonly judged: readonly string[];
  readonly regions?: readonly LabelRegion[];
}

const ENDINGS = ['.nii.gz', '.nii', '.nrrd', '.mha', '.mhd', '.tif', '.tiff', '.png', '.geojson'];

/**
 * Compares label maps with those of a data set, without a network. Both must lie voxel for voxel on the same grid; axis orders may
 * differ. Holds two bytes a voxel, and four more where there is an image to draw.
 */
export async function evaluateLabels(options: EvaluateLabelsOptions): Promise<LabelsReport> {
  const { predictions, data, out } = options;
  const { pairs: all, names, regions } = await pairsOf(options);
  const pairs = chosenCases(data, all, options.cases);
  const files = predictionFiles(predictions, pairs);
  if (out !== undefined) {
    const reads = [...files.values()];
    for (const { image, label } of pairs) reads.push(label, ...(image === undefined ? [] : [image]));
    const drawn = pairs.filter(({ image }) => image !== undefined && options.overlays !== false);
    checkEvaluation(out, { data, drawn: drawn.map(({ id }) => id), reads, overwrite: options.overwrite });
  }
  const classes =
    names ??
    (await numberedClasses([
      ...[...files.values()].map((label) => ({ label, labelCodes: pairs[0].labelCodes })),
      ...pairs,
    ]));
  const { settings, shown } = metricSettings(options, classes, regions);
  const judged = judgedNames({ regions }, classes);
  if (out !== undefined) makeFolder(out);
  const compared: ({ id: string } & CaseComparison)[] = [];
  for (const pair of pairs) {
    compared.push({
      id: pair.id,
      ...(await compare(pair, files.get(pair.id)!, { classes, judged, regions }, settings, options)),
    });
    options.onCase?.(pair.id, compared.length, pairs.length);
  }
  const original = evaluation(compared, judged, settings.lesion);
  const report = { metricsVersion: METRICS_VERSION, predictions, data, settings: shown, original };
  if (out !== undefined) await writeSummary(out, report);
  return report;
}

/** Nothing is left out of a segmentation. */
function withoutIgnore({ classOf }: LabelCodes): LabelCodes {
  return { classOf: Object.fromEntries(Object.entries(classOf).filter(([, cls]) => cls !== IGNORED)) };
}

async function compare(
  { id, image, series, lean, channels, label, labelCodes }: Pair,
  file: string,
  { classes, judged, regions }: Named,
  settings: MetricSettings,
  { cleaning, out, overlays = true, onNote, inOnePiece = plainly }: EvaluateLabelsOptions,
): Promise<CaseComparison> {
  const grid = canonicalGrid(await readScanHeader(image ?? label, { series, lean }));
  const truth = await loadLabels(label, grid, classes, labelCodes);
  const { data } = await loadLabels(file, grid, classes, labelCodes && withoutIgnore(labelCodes));
  const steps = cleaningOf(cleaning ?? {}, classes, regions);
  const { prediction, compared } = await inOnePiece(() => {
    const prediction = postprocess(data, grid.shape, grid, steps);
    return { prediction, compared: compareCase(truth.data, prediction, grid, classes.length, settings) };
  });
  if (out !== undefined && overlays && image !== undefined) {
    const seen = isPictureName(image) ? { normalizations: [{ kind: 'rgb' }] as const } : {};
    const draw = async (): Promise<void> => {
      const options = {
        image: (await loadCase({ id, image, series, lean, channels: channels?.slice(0, 1) }, seen)).image,
        truth: truth.data,
        prediction,
        shape: grid.shape,
        spacing: spacingOf(grid),
        affine: grid.affine,
        // That of a store is not known here.
        ...(isZarr(image) || isPictureName(image) ? {} : { window: paperWindow }),
        picture: isPictureName(image),
        file: overlayFile(out, id),
        title: id,
        classNames: classes,
        dice: Object.fromEntries(judged.slice(1).map((name, n) => [name, compared.confusion.dice(n + 1)])),
      };
      savePicture(options.file, await inOnePiece(() => overlayPicture(options)));
    };
    await attemptPicture(draw, onNote);
  }
  return compared;
}

/** What there is to compare with: the labelled cases of a data set, or the label maps of a plain folder. */
async function pairsOf({ data, images, labels, mapLabels, resampleTilt }: EvaluateLabelsOptions): Promise<{
  pairs: readonly Pair[];
  names?: readonly string[];
  regions?: readonly LabelRegion[];
}> {
  const plain =
    images === undefined &&
    labels === undefined &&
    !existsSync(path.join(data, 'dataset.json')) &&
    !existsSync(path.join(data, 'imagesTr'));
  const maps =
    plain && existsSync(data) ? (await readdir(data)).filter((name) => idOf(name) !== undefined) : [];
  // An empty folder is refused in the words of a data set.
  if (maps.length > 0) {
    const { labelCodes } = namedLabels(undefined, mapLabels, data);
    const pairs = maps.map((name) => ({ id: idOf(name)!, label: path.join(data, name), labelCodes }));
    return { pairs: pairs.sort((a, b) => inNaturalOrder(a.id, b.id)) };
  }
  const { cases, labelNames, labelCodes } = await openDataset(data, {
    images,
    labels,
    mapLabels,
    resampleTilt,
  });
  return { pairs: withLabelMaps(cases), names: labelNames, regions: labelCodes?.regions };
}

/** A file's name without the ending of a label map; undefined for other files. */
function idOf(name: string): string | undefined {
  const ending = ENDINGS.find((one) => name.toLowerCase().endsWith(one));
  return ending === undefined || name.startsWith('.') ? undefined : name.slice(0, -ending.length);
}

/** The segmentation of each case, by id. Refuses a folder that lacks any. */
function predictionFiles(folder: string, pairs: readonly Pair[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const missing: string[] = [];
  const names = namesByForm(folder);
  for (const { id } of pairs) {
    const found = ENDINGS.flatMap((ending) => names.get(sameForm(id) + ending) ?? []);
    if (found.length === 0) missing.push(id);
    else files.set(id, path.join(folder, found[0]));
    const twins = ENDINGS.map((ending) => names.get(sameForm(id) + ending) ?? []).find(
      (same) => same.length > 1,
    );
    if (twins !== undefined)
      fail({ where: folder, problem: `two segmentations of case "${id}"`, found: twins.join(' and ') });
  }
  if (missing.length > 0)
    fail({
      where: folder,
      problem: `has no segmentation of ${missing.length === 1 ? 'case' : `${missing.length} cases, among them`} "${missing[0]}"`,
      expected: ENDINGS.map((ending) => `${missing[0]}${ending}`).join(' or '),
      found: existsSync(folder) ? `${files.size} of ${pairs.length} cases` : 'no such folder',
      hint: 'Segment them all, or name the cases to compare',
    });
  return files;
}

/** The files of a folder by name, whatever the form of its letters and the case of its ending. */
function namesByForm(folder: string): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const ending = ENDINGS.find((one) => name.toLowerCase().endsWith(one));
    if (ending === undefined) continue;
    const key = sameForm(name.slice(0, -ending.length)) + ending;
    names.set(key, [...(names.get(key) ?? []), name]);
  }
  return names;
}

/** Classes that have no names, called by their numbers: 0 to the highest in any file. */
async function numberedClasses(
  files: readonly Pick<Pair, 'label' | 'labelCodes'>[],
): Promise<readonly string[]> {
  let highest = 0;
  for (const { label: file, labelCodes } of files) {
    const grid = canonicalGrid(await readScanHeader(file));
    const { data } = await loadLabels(file, grid, undefined, labelCodes);
    const most = ignoresVoxels(labelCodes) ? IGNORED : 256;
    for (const label of data) if (label > highest && label < most) highest = label;
  }
  return Array.from({ length: highest + 1 }, (_, label) => (label === 0 ? 'background' : `class ${label}`));
}
