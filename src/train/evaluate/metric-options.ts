import { fail } from '../../core/index.ts';
import type { Evaluation, LabelRegion, MetricSettings } from '../../imaging/index.ts';
import { finder, lesionOf } from '../config/known-names.ts';
import { judgedNames } from '../config/model.ts';
import { type Cleaning, cleaningOf } from '../predict/cleaning.ts';

/** How segmentations are compared with their truth, in the words of the classes. */
export interface MetricOptions {
  /** mm, for the surface Dice: of all classes, or by name of class (2 where a class is not named). 2 by default. */
  readonly tolerance?: number | Readonly<Record<string, number>>;
  /**
   * Whether distances between surfaces are taken; they are by default. Without them and without lesions no process holds a whole
   * label map, where a network sees the voxels of the files.
   */
  readonly surfaces?: boolean;
  /**
   * The class whose connected parts are lesions, counted one by one; null for none. By default the first class whose name says so
   * (lesion, tumour, cancer, metastasis, nodule), and none where surfaces are left out.
   */
  readonly lesion?: string | null;
  /** A predicted lesion matches a true one from this intersection over union on; 0, any overlap, by default. */
  readonly lesionIou?: number;
}

/** What the figures of a report were computed with. */
export interface ReportSettings {
  /** mm by class. */
  readonly tolerance: Readonly<Record<string, number>>;
  /** False where distances between surfaces were left out; absent elsewhere. */
  readonly surfaces?: false;
  readonly lesion: string | null;
  readonly lesionIou: number;
  /** What was done to the segmentations; absent where nothing was. */
  readonly cleaning?: Cleaning;
}

/** What reports of evaluations have in common. */
export interface ScoredReport {
  /** Which definitions the figures follow: `docs/metrics.md`. */
  readonly metricsVersion: number;
  /** Folder of the data set, or of label maps. */
  readonly data: string;
  readonly settings: ReportSettings;
  /** On the voxels of the label files. */
  readonly original: Evaluation;
}

const TOLERANCE = 2;

/** Checks options against the classes of a network or data set, or its regions, and fills in defaults. */
export function metricSettings(
  options: MetricOptions & { readonly cleaning?: Cleaning },
  labels: readonly string[],
  regions?: readonly LabelRegion[],
): { readonly settings: MetricSettings; readonly shown: ReportSettings } {
  const classes = judgedNames({ regions }, labels);
  const named = classes.slice(1);
  const { tolerance = TOLERANCE, surfaces = true, lesionIou = 0 } = options;
  const need = (name: string, where: string): void => {
    if (named.includes(name)) return;
    fail({ where, problem: `no class "${name}"`, expected: named.join(', ') });
  };
  const find = finder(named, ',');
  const byName = new Map<string, number>();
  if (typeof tolerance !== 'number')
    for (const [name, mm] of Object.entries(tolerance)) {
      need(find(name) ?? name, 'tolerance');
      byName.set(find(name) ?? name, mm);
    }
  const mm = named.map((name) =>
    typeof tolerance === 'number' ? tolerance : (byName.get(name) ?? TOLERANCE),
  );
  const usual = surfaces ? (lesionOf(named) ?? null) : null;
  const asked = options.lesion === undefined ? usual : options.lesion;
  const lesion = asked === null ? null : (find(asked) ?? asked);
  if (lesion !== null) need(lesion, 'lesion');
  if (!(lesionIou >= 0 && lesionIou <= 1))
    fail({ where: 'lesionIou', problem: 'value', expected: 'a share from 0 to 1', found: `${lesionIou}` });
  for (const one of mm)
    if (!(one >= 0))
      fail({ where: 'tolerance', problem: 'value', expected: 'mm, at least 0', found: `${one}` });
  // Names of classes are wrong before the work and not after it.
  cleaningOf(options.cleaning ?? {}, labels, regions);
  const cleaned = Object.values(options.cleaning ?? {}).some((step) => step !== undefined);
  return {
    settings: {
      tolerance: mm,
      ...(!surfaces && { surfaces }),
      lesion: lesion === null ? undefined : classes.indexOf(lesion, 1),
      lesionIou,
      ...(regions && { sets: [[0], ...regions.map((region) => region.classes)] }),
    },
    shown: {
      tolerance: Object.fromEntries(named.map((name, n) => [name, mm[n]])),
      ...(!surfaces && { surfaces }),
      lesion,
      lesionIou,
      ...(cleaned && { cleaning: options.cleaning }),
    },
  };
}
