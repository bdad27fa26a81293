import { openDataset, RGB_CHANNELS } from '../../imaging/index.ts';
import { loadDevice } from '../../machine/index.ts';
import { formatPlan } from '../../plan/index.ts';
import { resolveConfig, settingIn, type TrainConfig } from '../../train/config/config.ts';
import { stagesOf } from '../../train/config/model.ts';
import { inPlaceOfPercentiles } from '../../train/config/normalization.ts';
import { shapeOfSize } from '../../train/config/plane.ts';
import { apart, type Forecast, forecast, forecastCases, splitFor } from '../../train/loop/forecast.ts';
import { loadNetwork } from '../../train/record/network-file.ts';
import { runFolder } from '../../train/record/run-folder.ts';
import { chooseCases } from '../../train/samples/cases.ts';
import { withPlannedNetwork, withStages } from '../../train/samples/planned-network.ts';
import { withDataset } from '../../train/samples/preprocessed.ts';
import { givenConfig } from '../flags/given.ts';
import { UsageError } from '../flags/parse.ts';
import type { TrainFlags } from '../flags/train-flags.ts';
import { endOnSignals } from '../terminal/interrupt.ts';
import { say, sayJson } from '../terminal/say.ts';

export interface Flags extends TrainFlags {
  readonly classes?: number;
  readonly ranks?: number;
  readonly json?: boolean;
}

/** What is planned: a step on a volume, of a case where there is a data set. */
interface Planned extends Forecast {
  readonly classes: readonly string[];
}

/** Runs `halomesh plan`. */
export async function planAction({ classes, ranks, json, ...flags }: Flags): Promise<void> {
  endOnSignals();
  const { given, nameOf } = givenConfig(flags);
  // A plan writes nothing, and with a size it reads nothing either.
  if (ranks !== undefined && given.split !== 'auto')
    throw new UsageError({ where: '--ranks', problem: 'needs --split auto' });
  const asked = resolveConfig(
    { ...given, data: given.data ?? '.', out: given.out ?? '.' },
    nameOf(settingIn('config')),
  );
  const { config } = await loadNetwork(asked, { folder: runFolder(asked.out) });
  await loadDevice(config.device);
  const planned =
    given.data === undefined
      ? await fromSize(config, classes ?? 3, ranks)
      : await fromData(config, classes, ranks);
  const { report, config: _, plans: _plans, ...facts } = planned;
  if (json) sayJson({ ...facts, batch: config.batch, ...report });
  else say(`${headline(config, planned)}\n${formatPlan(report)}`);
}

async function fromSize(given: TrainConfig, classes: number, ranks?: number): Promise<Planned> {
  const { size, classes: names } = given;
  if (size === undefined)
    throw new UsageError({
      where: '--size',
      problem: 'expected the voxels along each side, or --data, found neither',
      hint: 'Try: halomesh plan --size 128',
    });
  const numbered = Array.from({ length: classes }, (_, n) => `class ${n}`);
  const all = names ?? numbered;
  const shape = shapeOfSize(given, size);
  // Voxels are taken as cubes, as nothing says what they are.
  // A picture is in colours where nothing names its channels.
  const named = given.plane ? { ...given, channels: given.channels ?? RGB_CHANNELS } : given;
  const config = withStages(named, [{ shape, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }]);
  // Pictures are read by boxes, wherever they lie.
  const stored = given.plane;
  const split = await splitFor(config, shape, all.length, { ranks, stored });
  const found = forecast(split.config, shape, all.length, {
    stored,
    processRanks: apart(ranks),
    stepPlan: split.plan,
  });
  return { classes: all, ...found, split: split.why };
}

async function fromData(config: TrainConfig, classes?: number, ranks?: number): Promise<Planned> {
  if (classes !== undefined)
    throw new UsageError({
      where: '--classes',
      problem: 'cannot stand beside --data, which names the classes',
    });
  const dataset = await openDataset(config.data, config);
  // A plan goes by sizes: numbers of normalisation make no difference.
  const channels = dataset.channelNames?.length ?? 1;
  const prepared = withDataset(
    inPlaceOfPercentiles(config, channels, () => 'none'),
    dataset,
  );
  const own = await withPlannedNetwork(prepared, dataset);
  const chosen = chooseCases(dataset, own);
  return {
    classes: chosen.classes,
    ...(await forecastCases(own, chosen, chosen.classes.length, { ranks })),
  };
}

function headline(config: TrainConfig, planned: Planned): string {
  const { batch, base, levels, network, precision, slices, plane } = config;
  const stages = stagesOf(config);
  const widths = stages
    ? `channels ${stages.map(({ filters }) => filters).join(', ')}`
    : typeof network === 'object'
      ? `of ${network.kind === 'module' ? network.name : 'code'}`
      : `base ${base}, ${levels} levels`;
  const whose = planned.case === undefined ? '' : ` (case ${planned.case})`;
  const extents = ([d, h, w]: readonly number[]) => `${plane ? '' : `depth ${d}, `}height ${h}, width ${w}`;
  const patch = planned.patch === undefined ? '' : `patch         ${extents(planned.patch)}\n`;
  return (
    (slices === undefined
      ? `${plane ? 'picture       ' : 'volume        '}batch ${batch}, ${extents(planned.shape)}${whose}\n${patch}`
      : `slices        batch ${batch} of ${extents(planned.shape)}${whose}, ${slices} adjacent ones as channels\n`) +
    `${planned.split === undefined ? '' : `split         ${planned.split}\n`}` +
    `network       ${widths}, ${planned.classes.length} classes, ${precision}`
  );
}
