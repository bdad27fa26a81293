import { fail } from '../../core/index.ts';
import { hasRegions, IGNORE, ignoresVoxels, namedLabels, regionsOf } from '../../imaging/index.ts';
import type { TrainConfig } from '../../train/index.ts';
import type { DatasetFile } from './plans.ts';

// What a network of nnU-Net has scores of: label values, of which the one with the highest score is taken, or regions, each with a
// sigmoid of its own, where any label is a list of several values. Regions stand in the order of the labels.

/** The parts of a run's config that the labels give. */
export type ImportedLabels = Pick<TrainConfig, 'classValues' | 'regions' | 'ignore'> & {
  readonly classes: readonly string[];
};

/** What dataset.json says of labels, in the words of a config. */
export function labelsOf(file: string, { labels, regions_class_order: order }: DatasetFile): ImportedLabels {
  const given = new Map(Object.entries(labels));
  if (!hasRegions(given)) return plainLabels(file, labels);
  const { names, regions } = regionsOf(given, order, file);
  const { labelNames, labelCodes } = namedLabels(names, undefined, file, regions);
  return {
    classes: labelNames!,
    classValues: labelCodes?.classValues,
    regions: labelCodes?.regions,
    ...(ignoresVoxels(labelCodes) && { ignore: true }),
  };
}

/** Values 0, 1, 2... by name; voxels to ignore have no score of their own. */
function plainLabels(file: string, labels: DatasetFile['labels']): ImportedLabels {
  const classes: string[] = [];
  const ignored = labels[IGNORE];
  const found = Object.entries(labels).filter(([name]) => name !== IGNORE);
  for (const [name, value] of found) {
    const one = typeof value === 'number' ? value : value[0];
    if (one !== undefined) classes[one] = name;
  }
  if (classes.length !== found.length || Object.keys(classes).length !== found.length || found.length < 2)
    fail({
      where: `${file} "labels"`,
      problem: 'values',
      expected: 'two or more, each whole number from 0 on once',
      found: Object.entries(labels)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    });
  return { classes, ...(ignored !== undefined && { ignore: true }) };
}
