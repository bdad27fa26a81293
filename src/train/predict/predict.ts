import path from 'node:path';
import { fail, HalomeshError } from '../../core/index.ts';
import type { BoxWriter } from '../../imaging/formats/segmentation/picture-labels.ts';
import { segmentsOf } from '../../imaging/formats/segmentation/segments.ts';
import {
  asValues,
  type Case,
  canonicalGrid,
  leanLabels,
  openScanSource,
  planScan,
  postprocess,
  restoreLabels,
  type ScanSource,
  type Shape3,
  spacingOf,
  type VoxelBox,
  voxelVolume,
  writeVolume,
} from '../../imaging/index.ts';
import { fromFirst, plainly, together } from '../../run/index.ts';
import { channelNamesOf } from '../config/normalization.ts';
import { checkKind } from '../config/plane.ts';
import { exists } from '../record/run-check.ts';
import { cleaningOf, cleans } from './cleaning.ts';
import { openRuns } from './ensemble.ts';
import { checkProbabilities, checkStatistics } from './further-room.ts';
import { configOfRun, type OpenRun } from './open-run.ts';
import { labelTarget, outlinesFile, writeLabelNames } from './outputs/label-target.ts';
import { bytesOfPicture, writePictureLabels } from './outputs/picture-labels.ts';
import { writeFurther } from './outputs/structures.ts';
import { type OwnBox, segmentOwn, writeOwnLabels } from './own-box.ts';
import type {
  FolderResult,
  PredictFolderOptions,
  PredictionFault,
  PredictionSettings,
  PredictOptions,
  PredictResult,
} from './predict-options.ts';
import { bytesBeside, prepareOutputs, scanFor, voxelsByName } from './predict-outputs.ts';
import { ProbabilityFile, probabilityNames, writeProbability } from './probabilities.ts';
import { checkChannels, groupedScans } from './scan-channels.ts';
import { outputsFor, type ScanToSegment, scanName, scansIn } from './scans.ts';
import type { SegmentedPart, SegmentOptions } from './segmenter.ts';
import { type BoxBytes, bytesOf, eachPart, floatsOf, gatherLabels } from './volume-parts.ts';

/**
 * Segments a scan: class numbers as bytes, voxel for voxel on the grid of the input, whatever its format and orientation. The
 * whole volume is computed in one pass where memory allows it, else in blocks with the same result. Files get their names when
 * they are whole. Throws ImagingError for a scan that cannot be used, HalomeshError for what cannot be done.
 *
 *     const { voxels } = await predict({ run: 'runs/a', input: 'scan.nii.gz', output: 'liver.nii.gz' });
 *
 * Where several processes run the mesh all call it, and process 0 writes.
 */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  const names = channelNamesOf((await configOfRun(options)).config);
  const scan = await together(options.processes, 'the scan', () => scanFor(options, names));
  const run = await openRuns(options);
  try {
    await prepareOutputs(run, [scan], options);
    options.onEvent?.({ kind: 'scan', input: scan.input, place: 1, scans: 1 });
    const result = await segmentScan(run, scan, options);
    options.onEvent?.({ kind: 'written', input: scan.input, result });
    return result;
  } finally {
    run.free();
  }
}

/**
 * Segments all scans of a folder, as {@link predict} does each. One that cannot be used does not keep the others from being
 * segmented: it is among the faults. Throws what has nothing to do with a single scan, such as a run without a checkpoint.
 */
export async function predictFolder(options: PredictFolderOptions): Promise<FolderResult> {
  const { input, output, onEvent } = options;
  const names = channelNamesOf((await configOfRun(options)).config);
  const scans = await together(options.processes, 'the folder of scans', async () => {
    const inputs = await scansIn(input);
    if (inputs === undefined)
      return fail({ where: input, problem: 'is no folder of scans', hint: 'predict() takes a single scan' });
    return outputsFor(input, groupedScans(inputs, names, options.volume), output, options.format);
  });
  const results: PredictResult[] = [];
  const faults: PredictionFault[] = [];
  const run = await openRuns(options);
  try {
    await prepareOutputs(run, scans, options);
    for (const [n, scan] of scans.entries()) {
      options.signal?.throwIfAborted();
      onEvent?.({ kind: 'scan', input: scan.input, place: n + 1, scans: scans.length });
      try {
        checkChannels(scan, names);
        const result = await segmentScan(run, scan, options);
        results.push(result);
        onEvent?.({ kind: 'written', input: scan.input, result });
      } catch (error) {
        if (!(error instanceof HalomeshError)) throw error;
        faults.push({ input: scan.input, error });
        onEvent?.({ kind: 'fault', input: scan.input, error });
      }
    }
    return { results, faults };
  } finally {
    run.free();
  }
}

/** Whether an input is a folder of scans, for {@link predictFolder}, and not a scan. */
export async function isFolderOfScans(input: string): Promise<boolean> {
  return (await exists(input)) && (await scansIn(input)) !== undefined;
}

async function segmentScan(
  run: OpenRun,
  { input, channels, output, format }: ScanToSegment,
  settings: PredictionSettings,
): Promise<PredictResult> {
  const { processes, probabilities = false, probabilitiesDownsample: factor = 1, signal } = settings;
  const scan: Case = { id: scanName(input), image: input, channels, series: settings.series };
  const { resampleTilt = run.config.resampleTilt } = settings;
  const entry: Case = resampleTilt ? { ...scan, lean: 'resample' } : scan;
  const cleaning = cleaningOf(settings.cleaning ?? {}, run.classes, run.config.regions);
  const { classValues } = run.config;
  const writes = (processes?.index ?? 0) === 0;
  const plan = await together(processes, 'the scan', () => {
    checkKind(run.config, entry);
    return planScan(entry, run.prepare);
  });
  const { geometry, upright } = plan;
  const original = upright?.leaning ?? plan.original;
  const { shape } = geometry;
  for (const note of plan.notes) settings.onEvent?.({ kind: 'note', input, note });
  if (probabilities) checkProbabilities(plan, factor, run.config);
  if (settings.statistics) checkStatistics({ geometry, original }, run.config);
  const segments = segmentsOf(run.classes, classValues);
  const target = await together(processes, 'the file of labels', () =>
    labelTarget(output, { ...settings, resampleTilt, format, input, channels, original, segments }),
  );
  const folder = run.config.spillDir ?? path.dirname(path.resolve(output));
  const soft = await together(processes, 'the file of probabilities', async () =>
    probabilities && writes ? new ProbabilityFile(folder, shape, run.scores.length) : undefined,
  );
  // Else process 0 needs the whole label map: to clean it up, or to bring it to another grid.
  const boxes = !probabilities && !cleans(cleaning) ? target.beginBoxes : undefined;
  const streams =
    !upright && !probabilities && !cleans(cleaning) && sameShape(shape, canonicalGrid(original).shape);
  const asked: SegmentOptions = {
    ...{
      flips: settings.flips,
      probabilities,
      signal,
      hostBytes: boxes ? bytesOfPicture(geometry) : bytesBeside(plan),
    },
    onPass: (done, passes) => settings.onEvent?.({ kind: 'pass', input, done, passes }),
  };
  try {
    const counts = boxes ? await writePicture(boxes) : await writeVolumeLabels();
    if (settings.labelNames)
      await together(processes, 'the names of labels', async () => {
        if (writes) await writeLabelNames(output, segments);
      });
    const voxels = voxelsByName(run, counts);
    const further = await together(processes, 'what comes of the segmentation', () =>
      writes
        ? writeFurther(run, upright ? { ...scan, lean: 'keep' } : scan, output, settings)
        : Promise.resolve({}),
    );
    const names = probabilityNames(output, run.scores);
    const files = run.scores.map((name, n) => [name, names[n]]);
    return {
      ...{ input, output, shape: original.shape },
      ...{ spacing: spacingOf(original), voxelVolume: voxelVolume(original) },
      ...(settings.outlines && { outlines: outlinesFile(output) }),
      probabilities: probabilities ? Object.fromEntries(files) : undefined,
      ...(await fromFirst(processes, further)),
      voxels: await fromFirst(processes, voxels),
      ...{ checkpoint: run.checkpoint, step: run.step! },
    };
  } finally {
    soft?.close();
  }

  /** Segments a picture, whose label map is written as its blocks are computed. */
  async function writePicture(beginBoxes: () => Promise<BoxWriter>): Promise<Float64Array> {
    const source = await openSource(run, entry, await run.needs(shape, asked), settings);
    const segment = async (take: (part: SegmentedPart) => Promise<void>): Promise<void> => {
      await run.segmentParts(source, asked, take);
      // Outlines, and bringing labels back, take memory of their own.
      if (settings.outlines || !sameShape(shape, original.shape)) run.free();
    };
    const about = { output, geometry, classValues, processes, signal };
    return writePictureLabels(beginBoxes, segment, about);
  }

  /** Segments a volume, of whose labels each process holds its own until all are there. */
  async function writeVolumeLabels(): Promise<Float64Array> {
    const own = await segmentSource(run, entry, shape, asked, settings, soft);
    // To bring the labels back takes memory of its own, and so do statistics.
    if (!streams || settings.statistics) run.free();
    if (!streams) return writeWhole(own);
    const valued = { ...own, labels: asValues(own.labels, classValues) };
    return writeOwnLabels(target.begin, original, valued, { processes, signal });
  }

  /** Writes labels that come together on process 0, and probabilities; gives the voxels of each label there. */
  async function writeWhole(own: OwnBox): Promise<Float64Array> {
    const counts = new Float64Array(256);
    const labels = await gatherLabels(processes, own.labels.length === 0 ? [] : [own], shape);
    await together(processes, 'the segmentation', async () => {
      if (!writes) return;
      const cleaned = await (settings.inOnePiece ?? plainly)(() => {
        const { data } = restoreLabels(labels, geometry);
        const found = upright ? leanLabels(upright, data) : data;
        return asValues(postprocess(found, original.shape, original, cleaning), classValues);
      });
      if (soft !== undefined)
        for (const [cls, file] of probabilityNames(output, run.scores).entries()) {
          signal?.throwIfAborted();
          await writeProbability(
            file,
            { from: soft, cls },
            { ...geometry, original: upright?.grid ?? original },
            factor,
          );
        }
      signal?.throwIfAborted();
      await writeVolume(await target.begin(), cleaned, original.shape[1] * original.shape[2]);
      for (let n = 0; n < cleaned.length; n++) counts[cleaned[n]]++;
    });
    return counts;
  }
}

/** What a process reads of a scan. */
async function openSource(
  run: OpenRun,
  entry: Case,
  box: VoxelBox,
  { processes, onEvent }: PredictionSettings,
): Promise<ScanSource> {
  const source = await together(processes, 'the scan', () => openScanSource(entry, run.prepare, box));
  for (const note of source.notes) onEvent?.({ kind: 'note', input: entry.image, note });
  return source;
}

/** The labels of a prepared scan, those that this process computes; the probabilities of all come into `soft`. */
async function segmentSource(
  run: OpenRun,
  entry: Case,
  shape: Shape3,
  asked: SegmentOptions,
  settings: PredictionSettings,
  soft: ProbabilityFile | undefined,
): Promise<OwnBox> {
  const { processes } = settings;
  const source = await openSource(run, entry, await run.needs(shape, asked), settings);
  const alone = (processes?.ranks.length ?? 1) === 1;
  const parts: BoxBytes[] = [];
  const own = await segmentOwn(run, source, asked, processes, ({ box, probabilities: p }) => {
    if (p === undefined) return;
    if (alone) soft?.put(box, p);
    else parts.push({ box, bytes: bytesOf(p) });
  });
  if (asked.probabilities && !alone) {
    const voxelBytes = 4 * run.scores.length;
    let full: unknown;
    await eachPart(processes, { label: 'probabilities', parts, voxelBytes, to: [0] }, (part) => {
      try {
        if (full === undefined) soft?.put(part.box, floatsOf(part.bytes));
      } catch (error) {
        // The others still send.
        full = error;
      }
    });
    await together(processes, 'the file of probabilities', async () => {
      if (full !== undefined) throw full;
    });
  }
  return own;
}

const sameShape = (a: Shape3, b: Shape3): boolean => a.every((n, axis) => n === b[axis]);
