import type { Command } from 'commander';
import {
  type Case,
  canonicalGrid,
  openDataset,
  readNiftiHeader,
  resampledGrid,
  type Shape3,
} from '../imaging/index.ts';
import { CPU_TARGET, referenceDevice } from '../machine/index.ts';
import { explainPlan, formatPlan, makePlan, type PlanReport } from '../plan/index.ts';
import {
  chooseCases,
  meshOf,
  prepareOptions,
  resolveConfig,
  type TrainConfig,
  trainingGraph,
} from '../train/index.ts';
import { addTrainFlags, givenConfig, type TrainFlags } from './flags.ts';
import { count, UsageError } from './parse.ts';

interface Flags extends TrainFlags {
  readonly classes?: number;
  readonly json?: boolean;
}

/** What is planned: a step on a volume, of a case where there is a data set. */
interface Planned {
  readonly shape: Shape3;
  readonly classes: readonly string[];
  readonly case?: string;
}

/** `halomesh plan` */
export function planCommand(program: Command): void {
  const command = program
    .command('plan')
    .summary('say what a training step needs, without running anything')
    .description(
      'Takes the flags of train and prints the mesh, the boxes of every rank, parameters, work, the collectives with ' +
        'their bytes and the predicted peak memory of a training step. Of a data set it plans the largest case; with ' +
        '--size and without --data it needs no data set.',
    );
  addTrainFlags(command)
    .option(
      '--classes <n>',
      'number of classes where no data set says it (default: 3)',
      count('--classes', 2, 256),
    )
    .option('--json', 'print the plan as JSON')
    .addHelpText(
      'after',
      `
Examples:
  halomesh plan --size 128 --base 16 --split depth=2,height=2,width=2
  halomesh plan --data ct --spacing 3 --mesh rows=2,cols=2 --layout depth:rows,height:cols --json`,
    )
    .action(async ({ classes, json, ...flags }: Flags) => {
      const given = givenConfig(flags);
      // A plan writes nothing, and with a size it reads nothing either.
      const config = resolveConfig({ ...given, data: given.data ?? '.', out: given.out ?? '.' });
      const planned =
        given.data === undefined ? fromSize(config, classes ?? 3) : await fromData(config, classes);
      const report = explain(config, planned);
      if (json) console.log(JSON.stringify({ ...planned, batch: config.batch, ...report }, null, 2));
      else console.log(`${headline(config, planned)}\n${formatPlan(report)}`);
    });
}

function fromSize({ size, classes: names }: TrainConfig, classes: number): Planned {
  if (size === undefined)
    throw new UsageError({
      where: '--size',
      problem: 'expected the voxels along each side, or --data, found neither',
      hint: 'Try: halomesh plan --size 128',
    });
  const numbered = Array.from({ length: classes }, (_, n) => `class ${n}`);
  return { shape: [size, size, size], classes: names ?? numbered };
}

async function fromData(config: TrainConfig, classes: number | undefined): Promise<Planned> {
  if (classes !== undefined)
    throw new UsageError({
      where: '--classes',
      problem: 'cannot stand beside --data, which names the classes',
    });
  const chosen = chooseCases(await openDataset(config.data), config);
  const shapes = await Promise.all(
    chosen.training.map(async (entry) => ({ id: entry.id, shape: await preparedShape(entry, config) })),
  );
  const voxels = ([d, h, w]: Shape3): number => d * h * w;
  const largest = shapes.reduce((a, b) => (voxels(b.shape) > voxels(a.shape) ? b : a));
  return { shape: largest.shape, classes: chosen.classes, case: largest.id };
}

/** The shape that a case will have once it is prepared, from its header alone. */
async function preparedShape({ image }: Case, config: TrainConfig): Promise<Shape3> {
  const { dims, affine } = await readNiftiHeader(image);
  const grid = canonicalGrid({ shape: [dims[2] ?? 1, dims[1] ?? 1, dims[0]], affine });
  const { spacing, size } = prepareOptions(config);
  if (spacing !== undefined) return resampledGrid(grid, { spacing }).shape;
  if (size === undefined) return grid.shape;
  return typeof size === 'number' ? [size, size, size] : size;
}

function explain(config: TrainConfig, { shape, classes }: Planned): PlanReport {
  const { mesh, layout } = meshOf(config);
  const target = config.device === 'reference' ? referenceDevice() : CPU_TARGET;
  const { graph } = trainingGraph(config, classes.length, shape);
  // The images and labels of a step, and the case that they come from.
  const hostBytes = shape[0] * shape[1] * shape[2] * (config.batch + 1) * 5;
  return explainPlan(makePlan(graph, mesh, layout, target), hostBytes);
}

function headline({ batch, base, levels, precision }: TrainConfig, planned: Planned): string {
  const whose = planned.case === undefined ? '' : ` (case ${planned.case})`;
  const [d, h, w] = planned.shape;
  return (
    `volume        batch ${batch}, depth ${d}, height ${h}, width ${w}${whose}\n` +
    `network       base ${base}, ${levels} levels, ${planned.classes.length} classes, ${precision}`
  );
}
