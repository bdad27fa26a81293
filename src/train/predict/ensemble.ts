import { tmpdir } from 'node:os';
import { fail, shownValue } from '../../core/index.ts';
import { wholeBox } from '../../imaging/index.ts';
import { prepareOptions } from '../config/model.ts';
import { meanPart } from './mean-of-flips.ts';
import { byPatches, type OpenRun, openRun, type RunOptions } from './open-run.ts';
import { ProbabilityFile } from './probabilities.ts';

// Several networks as one: the mean of their probabilities, summed in float32 in the order of the runs.

/** Bytes of sums that are in memory at a time. */
const SLAB_BYTES = 2 ** 26;

/** A run, and others whose probabilities are averaged with its own. */
export interface EnsembleOptions extends RunOptions {
  /** Folders of further runs with the same classes, which see scans at the same spacing, size and window. */
  readonly ensemble?: readonly string[];
}

/**
 * Opens a run, or several as one. One network is in memory at a time; the sums of probabilities wait in a file. Throws HalomeshError
 * where runs do not fit, or where several processes would share the work.
 */
export async function openRuns({ ensemble = [], ...options }: EnsembleOptions): Promise<OpenRun> {
  if (ensemble.length === 0) return openRun(options);
  if ((options.processes?.ranks.length ?? 1) > 1)
    fail({
      where: 'ensemble',
      problem: 'several runs are averaged by one process',
      found: 'several processes',
    });
  const runs: OpenRun[] = [];
  try {
    for (const run of [options.run, ...ensemble]) runs.push(await openRun({ ...options, run }));
    for (const run of runs) checkFits(runs[0], run);
  } catch (error) {
    for (const run of runs) run.free();
    throw error;
  }
  const [first] = runs;
  const reads = runs.flatMap((run) => run.reads);
  const { config, scores } = first;
  if (config.nnunet !== undefined) {
    const networks = runs.map(({ network }) => network);
    return byPatches({ ...first, reads }, networks, options.wholeVolume);
  }
  const classes = scores.length;
  const written = config.regions?.map((region) => region.written);
  const free = (): void => {
    for (const run of runs) run.free();
  };
  const segmentParts: OpenRun['segmentParts'] = async (source, asked, take) => {
    const { shape } = source;
    const [depth, height, width] = shape;
    const sums = new ProbabilityFile(config.spillDir ?? tmpdir(), shape, classes);
    try {
      for (const [n, run] of runs.entries()) {
        const onPass = (done: number, all: number): void => asked.onPass?.(n * all + done, runs.length * all);
        await run.segmentParts(
          source,
          { ...asked, probabilities: true, onPass },
          ({ box, probabilities }) => {
            sums.put(box, probabilities!, n > 0);
          },
        );
        run.free();
      }
      const slices = Math.max(1, Math.floor(SLAB_BYTES / (4 * classes * height * width)));
      for (let first = 0; first < depth; first += slices) {
        const end = Math.min(first + slices, depth);
        const box = { start: [first, 0, 0], end: [end, height, width] } as const;
        const sum = sums.slices(first, end);
        await take(meanPart({ box, sum, classes, written }, runs.length, asked.probabilities === true));
      }
    } finally {
      sums.close();
    }
  };
  return {
    ...first,
    reads,
    needs: (shape) => Promise.resolve(wholeBox(shape)),
    segmentParts,
    async segment() {
      return fail({ where: 'ensemble', problem: 'segments volumes by their boxes alone' });
    },
    get step() {
      return first.step;
    },
    free,
  };
}

/** Refuses a run with other classes, or one that sees scans in another way. */
function checkFits(first: OpenRun, other: OpenRun): void {
  const facts = ({ classes, config }: OpenRun) => ({
    classes,
    classValues: config.classValues,
    regions: config.regions,
    nnunet: config.nnunet,
    ...prepareOptions(config),
  });
  const [wanted, found] = [facts(first), facts(other)];
  const keys = Object.keys({ ...wanted, ...found }) as (keyof typeof wanted)[];
  const key = keys.find((name) => JSON.stringify(wanted[name]) !== JSON.stringify(found[name]));
  if (key === undefined) return;
  fail({
    where: other.folder.dir,
    problem: `another "${key}" than ${first.folder.dir}`,
    expected: shownValue(wanted[key]),
    found: shownValue(found[key]),
    hint: 'Average runs that were trained on the same classes and the same preparation of scans',
  });
}
