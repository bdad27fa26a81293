import { openDataset } from '../../imaging/index.ts';
import { formatPlan } from '../../plan/index.ts';
import { resolveConfig, settingIn, type TrainConfig } from '../../train/config/config.ts';
import { inPlaceOfPercentiles } from '../../train/config/normalization.ts';
import { apart, type Forecast, forecast, forecastCases, splitFor } from '../../train/loop/forecast.ts';
import { chooseCases } from '../../train/samples/cases.ts';
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
  const config = resolveConfig(
    { ...given, data: given.data ?? '.', out: given.out ?? '.' },
    nameOf(settingIn('config')),
  );
  const planned =
    given.data === undefined
      ? await fromSize(config, classes ?? 3, ranks)
      : await fromData(config, classes, ranks);
  const { report, config: _, plans: _plans, ...facts } = planned;
  if (json) sayJson({ ...facts, batch: config.batch, ...report });
  else say(`${headline(config, planned)}\n${formatPlan(report)}`);
}

async function fromSize(config: TrainConfig, classes: number, ranks?: number): Promise<Planned> {
  const { size, classes: names } = config;
  if (size === undefined)
    throw new UsageError({
      where: '--size',
      problem: 'expected the voxels along each side, or --data, found neither',
      hint: 'Try: halomesh plan --size 128',
    });
  const numbered = Array.from({ length: classes }, (_, n) => `class ${n}`);
  const all = names ?? numbered;
  const shape = [size, size, size] as const;
  const split = await splitFor(config, shape, all.length, { ranks });
  const found = forecast(split.config, shape, all.length, {
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
  const own = withDataset(
    inPlaceOfPercentiles(config, channels, () => 'none'),
    dataset,
  );
  const chosen = chooseCases(dataset, own);
  return {
    classes: chosen.classes,
    ...(await forecastCases(own, chosen, chosen.classes.length, { ranks })),
  };
}

function headline(
  { batch, base, levels, network, precision, slices }: TrainConfig,
  planned: Planned,
): string {
  const widths = network
    ? `channels ${network.stages.map(({ filters }) => filters).join(', ')}`
    : `base ${base}, ${levels} levels`;
  const whose = planned.case === undefined ? '' : ` (case ${planned.case})`;
  const extents = ([d, h, w]: readonly number[]) => `depth ${d}, height ${h}, width ${w}`;
  const patch = planned.patch === undefined ? '' : `patch         ${extents(planned.patch)}\n`;
  return (
    (slices === undefined
      ? `volume        batch ${batch}, ${extents(planned.shape)}${whose}\n${patch}`
      : `slices        batch ${batch} of ${extents(planned.shape)}${whose}, ${slices} adjacent ones as channels\n`) +
    `${planned.split === undefined ? '' : `split         ${planned.split}\n`}` +
    `network       ${widths}, ${planned.classes.length} classes, ${precision}`
  );
}
