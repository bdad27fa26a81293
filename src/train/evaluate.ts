import { fail } from '../core/index.ts';
import {
  type Case,
  Confusion,
  canonicalGrid,
  type Evaluation,
  evaluation,
  loadCase,
  loadLabels,
  restoreCanonicalLabels,
} from '../imaging/index.ts';
import { alone } from '../machine/index.ts';
import { prepareOptions } from './model.ts';
import { type OpenRun, openRun, type RunOptions } from './open-run.ts';
import { openSameDataset } from './same-files.ts';

export interface EvaluateOptions extends RunOptions {
  /** Folder of the data set; that of the run by default. */
  readonly data?: string;
  /** Patterns of its images and label maps; those of the run where `data` is that of the run. */
  readonly images?: string;
  readonly labels?: string;
  /** Ids of the cases to look at; all with a label map by default. */
  readonly cases?: readonly string[];
  /** Called after each case. */
  readonly onCase?: (id: string, done: number, all: number) => void;
}

/** How good a trained network is on a data set. */
export interface EvaluationReport {
  readonly run: string;
  readonly data: string;
  readonly checkpoint: 'best' | 'latest';
  /** Steps that the network was trained for. */
  readonly step: number;
  /** On the voxels of the label files: the segmentation is brought back to the grid of its scan. */
  readonly original: Evaluation;
  /** On the voxels that the network saw. */
  readonly prepared: Evaluation;
}

/** Segments all labelled cases of a data set and compares with their label maps, in whole numbers of voxels. */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationReport> {
  const run = await openRun(options);
  try {
    const data = options.data ?? run.config.data;
    const ownPatterns = options.data === undefined && options.images === undefined;
    const dataset = await openSameDataset(
      options.processes ?? alone(1),
      data,
      ownPatterns ? run.config : options,
    );
    for (const id of options.cases ?? [])
      if (!dataset.cases.some((entry) => entry.id === id))
        fail({
          where: data,
          problem: `no case "${id}"`,
          expected: dataset.cases.map((entry) => entry.id).join(', '),
        });
    const cases = dataset.cases.filter(({ id }) => options.cases?.includes(id) ?? true);
    if (cases.length === 0) fail({ where: data, problem: 'has no case with a label map to compare with' });
    const original: { id: string; confusion: Confusion }[] = [];
    const prepared: { id: string; confusion: Confusion }[] = [];
    for (const entry of cases) {
      const { id } = entry;
      const scores = await compare(run, entry);
      original.push({ id, confusion: scores.original });
      prepared.push({ id, confusion: scores.prepared });
      options.onCase?.(id, original.length, cases.length);
    }
    return {
      run: run.folder.dir,
      data,
      checkpoint: run.checkpoint,
      step: run.step!,
      original: evaluation(original, run.classes),
      prepared: evaluation(prepared, run.classes),
    };
  } finally {
    run.free();
  }
}

async function compare(
  run: OpenRun,
  { id, image, label }: Case,
): Promise<{ original: Confusion; prepared: Confusion }> {
  const { classes } = run;
  const scan = await loadCase({ id, image, label, labelNames: classes }, prepareOptions(run.config));
  const labels = await run.segment(scan);
  const prepared = new Confusion(classes.length).add(labels, scan.labels!);
  // In RAS+ order, on the voxels of the file.
  const grid = canonicalGrid(scan.original);
  if (scan.shape.every((n, axis) => n === grid.shape[axis])) return { original: prepared, prepared };
  const truth = await loadLabels(label!, grid, classes);
  const restored = restoreCanonicalLabels(labels, scan);
  return { original: new Confusion(classes.length).add(restored.data, truth.data), prepared };
}
