import type { StepLine, ValidationLine } from '../record/log.ts';

type Scalars = Readonly<Record<string, number | null | undefined>>;

const grouped = (group: string, values: Readonly<Record<string, number | null>>): Scalars =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${group}/${name}`, value]));

/** The numbers of a step as TensorBoard groups them: what stands before the slash is a section. */
export function stepScalars(line: StepLine): Scalars {
  return {
    'loss/training': line.loss,
    'loss/cross_entropy': line.crossEntropy,
    'loss/dice_case': line.diceCase,
    'loss/dice_global': line.diceGlobal,
    ...grouped('dice', line.dice),
    'images/accuracy': line.accuracy,
    ...grouped('soft_dice', line.softDice),
    'run/learning_rate': line.learningRate,
    'run/seconds': line.seconds,
    'run/peak_rss_bytes': line.peakRssBytes,
    'run/bytes_sent': line.bytesSent,
  };
}

/** The numbers of a validation. */
export function validationScalars(line: ValidationLine): Scalars {
  const { loss, dice, seconds, accuracy, auc, aucByClass = {} } = line;
  return {
    'loss/validation': loss,
    ...grouped('dice_validation', dice),
    'images_validation/accuracy': accuracy,
    'images_validation/auc': auc,
    ...grouped('auc_validation', aucByClass),
    'run/validation_seconds': seconds,
  };
}
