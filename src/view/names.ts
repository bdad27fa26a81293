import { type Dataset, defaultNormalizations, type LabelCodes, paperWindow } from '../imaging/index.ts';
import { normalizationsOfConfig, type TrainConfig, takesPercentiles } from '../train/index.ts';
import type { EvaluationShown } from './evaluation-file.ts';
import type { ShownChannel, ShownRegion } from './protocol.ts';

/** What classes, regions and channels are called, from all that is opened. */
export class Names {
  /** Of labels 0, 1, 2...: the longest list that a run or a data set gives. */
  private own: readonly string[] = [];
  /** What scores are called by, which may be regions: of use where nothing else has names. */
  private judged: readonly string[] = [];
  private channelNames: readonly string[] = [];
  private windows: readonly ShownChannel['window'][] = [];
  private found: readonly ShownRegion[] = [];
  /** The class or region whose parts were counted. */
  private lesion: string | undefined;

  takeRun(config: TrainConfig): void {
    this.takeClasses(config.classes);
    this.takeRegions(config.regions);
    this.takeChannels(config.channels);
    const { lower, upper } = config.window ?? paperWindow;
    const all = takesPercentiles(config)
      ? []
      : (normalizationsOfConfig(config) ?? defaultNormalizations(undefined, { lower, upper }));
    if (this.windows.length === 0)
      this.windows = all.map((one) =>
        one.kind === 'window' || one.kind === 'clip' ? [one.lower, one.upper] : undefined,
      );
  }

  takeDataset({ labelNames, labelCodes, channelNames }: Dataset): void {
    this.takeClasses(labelNames);
    this.takeRegions(labelCodes?.regions);
    this.takeChannels(channelNames);
  }

  /** Names of outlines, which are classes from 1 on. */
  takeOutlines(names: readonly string[]): void {
    if (names.length > 0) this.takeClasses(['background', ...names]);
  }

  takeScores({ classes, lesion }: EvaluationShown): void {
    if (classes.length > this.judged.length) this.judged = classes;
    this.lesion ??= lesion ?? undefined;
  }

  get classes(): readonly string[] {
    return this.own.length > 0 ? this.own : this.judged;
  }

  get regions(): readonly ShownRegion[] {
    return this.found;
  }

  get channels(): readonly ShownChannel[] {
    const names = this.channelNames.length > 0 ? this.channelNames : ['scan'];
    return names.map((name, n) => ({ name, window: this.windows[n] }));
  }

  /** What is counted as lesions, and its classes: that of the scores, else the last class. Undefined where no class has a name. */
  get counted(): { readonly name: string; readonly labels: readonly number[] } | undefined {
    const { classes } = this;
    if (classes.length < 2) return undefined;
    const name = this.lesion ?? classes[classes.length - 1];
    const labels = this.found.find((region) => region.name === name)?.classes ?? [classes.indexOf(name)];
    return { name, labels };
  }

  private takeClasses(names: readonly string[] | undefined): void {
    if (names !== undefined && names.length > this.own.length) this.own = names;
  }

  private takeRegions(regions: LabelCodes['regions']): void {
    if (this.found.length === 0 && regions !== undefined)
      this.found = regions.map(({ name, classes }) => ({ name, classes }));
  }

  private takeChannels(names: readonly string[] | undefined): void {
    if (names !== undefined && names.length > this.channelNames.length) this.channelNames = names;
  }
}

/** What the values of segmentations of a data set mean: they are written with the values of its files, also where it is a store. */
export function codesOfSegmentations(codes: LabelCodes | undefined): LabelCodes | undefined {
  if (codes?.classValues === undefined) return codes;
  const written = Object.fromEntries(codes.classValues.map((value, cls) => [value, cls]));
  return { ...codes, classOf: { ...codes.classOf, ...written } };
}
