import {
  type Case,
  type CaseComparison,
  type ChunkCache,
  Confusion,
  canonicalGrid,
  compareCase,
  type Grid,
  isZarr,
  loadLabelBox,
  loadLabels,
  type MetricSettings,
  normalizationsOf,
  openScanSource,
  type PostprocessOptions,
  type PreparedGeometry,
  planScan,
  postprocess,
  resampleLabels,
  restoreCanonicalLabels,
  type ScanPlan,
  spacingOf,
  voxelCount,
  withoutIgnored,
} from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
import { type InOnePiece, sumOver, together } from '../../run/index.ts';
import { prepareOptions } from '../config/model.ts';
import { checkKind } from '../config/plane.ts';
import { cleans } from '../predict/cleaning.ts';
import type { OpenRun } from '../predict/open-run.ts';
import { type OwnBox, segmentOwn } from '../predict/own-box.ts';
import type { SegmentOptions } from '../predict/segmenter.ts';
import { gatherLabels } from '../predict/volume-parts.ts';
import { CHUNK_BYTES } from '../samples/cases.ts';
import { overlayFile } from './evaluation-summary.ts';
import { type ComparedBox, drawOwnParts } from './overlay-parts.ts';

/** How cases are judged; the same on all processes. */
export interface Judge {
  readonly run: OpenRun;
  readonly processes?: Processes;
  readonly settings: MetricSettings;
  /** What is done to a segmentation before it is compared. */
  readonly steps: PostprocessOptions;
  readonly flips?: SegmentOptions['flips'];
  /** Folder of an evaluation that gets overlays; absent where none are drawn. */
  readonly overlays?: string;
  /** Told of a picture that cannot be drawn. */
  readonly onNote?: (text: string) => void;
  /** Compares, cleans up and draws. */
  readonly inOnePiece: InOnePiece;
  /** Chunks of stores. */
  readonly chunks: ChunkCache;
}

/** What a case gives, on process 0. */
export interface Judgement {
  /** On the voxels of its file. */
  readonly original: CaseComparison;
  /** On those that the network saw. */
  readonly prepared: Confusion;
}

/** A judgement and what it was formed of, on the grid that the network saw. */
interface Compared extends Partial<Judgement> {
  readonly compared: ComparedBox;
}

const EMPTY: ComparedBox = {
  box: { start: [0, 0, 0], end: [0, 0, 0] },
  truth: new Uint8Array(0),
  labels: new Uint8Array(0),
};

const isFirst = (processes: Processes | undefined): boolean => (processes?.index ?? 0) === 0;

/**
 * Segments a case and compares it with its label map; all processes call it, and process 0 gets the judgement. Each reads, segments
 * and counts its own box, and the counts are summed. Label maps come together on process 0 only where something looks at more than
 * single voxels: surfaces, lesions, cleaning, another grid than that of the file.
 */
export async function judgeCase(judge: Judge, entry: Case): Promise<Judgement | undefined> {
  const { run, processes, chunks, flips, overlays } = judge;
  const options = run.prepare;
  const plan = await together(processes, 'the scan', () => {
    checkKind(run.config, entry);
    return planScan(entry, options);
  });
  const { geometry } = plan;
  const grid = canonicalGrid(geometry.original);
  const resampled = geometry.shape.some((n, axis) => n !== grid.shape[axis]);
  const asked: SegmentOptions = { flips, hostBytes: judgeBytes(judge, plan) };
  const needed = await run.needs(geometry.shape, asked);
  const source = await together(processes, 'the scan', () => openScanSource(entry, options, needed, chunks));
  const own = await segmentOwn(run, source, asked, processes);
  const found = resampled
    ? await compareResampled(judge, entry, geometry, own)
    : await compareOwn(judge, entry, grid, own);
  const { original, prepared, compared } = found;
  if (overlays !== undefined) {
    const { spacing: _, ...seen } = prepareOptions(run.config);
    const shown =
      run.config.nnunet === undefined
        ? source
        : await together(processes, 'the scan', () => openScanSource(entry, seen, needed, chunks));
    const [first] = normalizationsOf(seen);
    await drawOwnParts(
      processes,
      { source: shown, own: own.box, compared },
      {
        shape: geometry.shape,
        spacing: spacingOf(geometry),
        file: overlayFile(overlays, entry.id),
        title: entry.id,
        // Of a store, in whose voxels it is already, the config has it too.
        ...(first.kind === 'window' && { window: first }),
        picture: run.config.plane,
        affine: geometry.affine,
        classNames: run.classes,
        dice: Object.fromEntries(
          run.judged.slice(1).map((name, n) => [name, original?.confusion.dice(n + 1) ?? null]),
        ),
      },
      judge,
    );
  }
  return original && prepared && { original, prepared };
}

/** Where the network saw the voxels of the file. */
async function compareOwn(
  judge: Judge,
  { label, labelCodes }: Case,
  grid: Grid,
  own: OwnBox,
): Promise<Compared> {
  const { run, processes, settings, steps, inOnePiece } = judge;
  const { classes } = run;
  const truth = await together(processes, 'the label map', () =>
    loadLabelBox(label!, grid, own.box, classes, labelCodes),
  );
  if (!needsWhole(judge)) {
    const counts = new Confusion(classes.length).add(own.labels, truth).counts;
    const confusion = new Confusion(classes.length, settings.sets);
    confusion.counts.set(await sumOver(processes, 'counts of voxels', [...counts]));
    // What is drawn: voxels that were left out as background.
    withoutIgnored(truth, own.labels);
    return { original: { confusion }, prepared: confusion, compared: { ...own, truth } };
  }
  const whole = (labels: Uint8Array): Promise<Uint8Array> =>
    gatherLabels(processes, labels.length === 0 ? [] : [{ box: own.box, labels }], grid.shape);
  const [found, real] = [await whole(own.labels), await whole(truth)];
  if (!isFirst(processes)) return { compared: EMPTY };
  const { labels, original } = await inOnePiece(() => {
    const labels = postprocess(found, grid.shape, grid, steps);
    return { labels, original: compareCase(real, labels, grid, classes.length, settings) };
  });
  const box = { start: [0, 0, 0], end: grid.shape } as const;
  return { original, prepared: original.confusion, compared: { box, truth: real, labels } };
}

/** Where a scan was resampled: process 0 brings the labels to the grid of the file, and compares on both. */
async function compareResampled(
  { run, processes, settings, steps, inOnePiece }: Judge,
  { label, labelCodes }: Case,
  geometry: PreparedGeometry,
  own: OwnBox,
): Promise<Compared> {
  const { classes } = run;
  const { shape, affine, original: file } = geometry;
  const parts = own.labels.length === 0 ? [] : [own];
  const found = await gatherLabels(processes, parts, shape);
  return together(processes, 'the comparison', async () => {
    if (!isFirst(processes)) return { compared: EMPTY };
    const grid = canonicalGrid(file);
    const real = await loadLabels(label!, grid, classes, labelCodes);
    // A store has them on both grids.
    const stored = isZarr(label!)
      ? (await loadLabels(label!, { shape, affine }, classes, labelCodes)).data
      : undefined;
    return inOnePiece(() => {
      const truth = stored ?? resampleLabels(real, { shape }).data;
      const labels = postprocess(found, shape, geometry, steps);
      const restored = restoreCanonicalLabels(found, geometry).data;
      const cleaned = postprocess(restored, grid.shape, grid, steps);
      const original = compareCase(real.data, cleaned, grid, classes.length, settings);
      const prepared = new Confusion(classes.length, settings.sets).add(labels, truth);
      withoutIgnored(truth, labels);
      return { original, prepared, compared: { box: { start: [0, 0, 0], end: shape }, truth, labels } };
    });
  });
}

/** Whether anything looks at more of two label maps than voxel by voxel. */
function needsWhole({ settings, steps }: Judge): boolean {
  return settings.surfaces !== false || settings.lesion !== undefined || cleans(steps);
}

/**
 * Bytes of volumes that a process holds while a case is segmented and judged: its part of the scan, of labels and truth; what comes
 * together on process 0; distances between surfaces, or what post-processing works on.
 */
function judgeBytes(judge: Judge, { geometry, voxelBytes }: ScanPlan): number {
  const [seen, stored] = [voxelCount(geometry.shape), voxelCount(geometry.original.shape)];
  const sharing = judge.processes?.ranks.length ?? 1;
  const resampled = seen !== stored;
  const scan =
    voxelBytes === 0 ? Math.min(CHUNK_BYTES, 4 * seen) : Math.ceil((voxelBytes * stored) / sharing);
  const own = Math.ceil((2 * seen) / sharing);
  if (!resampled && !needsWhole(judge)) return scan + own;
  const gathered = sharing > 1 ? 2 * seen : 0;
  // Surfaces and lesions of regions are found in maps of each.
  const masks = judge.settings.sets ? 2 : 0;
  const work = (masks + (cleans(judge.steps) ? 4 : 2)) * Math.max(seen, stored);
  return scan + own + gathered + (resampled ? 2 * stored : 0) + work;
}
