import { type Case, voxelCount } from '../imaging/index.ts';
import { type CaseStore, trainingBytes } from './cases.ts';
import type { DiceByClass } from './log.ts';
import { evaluationGraph } from './model.ts';
import { hardDice } from './scores.ts';
import type { TrainerParts } from './trainer.ts';

/** How good a network is on cases that it is not trained on. */
export interface Validation {
  /** Mean over the cases. */
  readonly loss: number;
  /** Of the sums over all cases, by class; null where a class is neither true nor predicted. */
  readonly dice: DiceByClass;
  readonly seconds: number;
}

/** Judges the network of a session, or that of the averages of its weights, on prepared cases. Changes nothing. */
export async function validate(
  { config, programs, cases, classes }: TrainerParts,
  held: readonly Case[],
  store: CaseStore,
): Promise<Validation> {
  const begun = performance.now();
  let loss = 0;
  const sums = { both: zeros(classes), predicted: zeros(classes), truth: zeros(classes) };
  for (const entry of held) {
    const { image, labels, shape } = await store.get(entry);
    const program = programs.get(
      `validation ${shape.join('x')}`,
      () => evaluationGraph(config, classes.length, shape).graph,
      trainingBytes(voxelCount(shape), config.batch, cases.length),
    );
    const out = await program.run({ image, labels: labels! });
    loss += out.loss[0] / held.length;
    for (const cls of classes.keys()) {
      sums.both[cls] += out.count_both[cls];
      sums.predicted[cls] += out.count_predicted[cls];
      sums.truth[cls] += out.count_true[cls];
    }
  }
  return { loss, dice: hardDice(sums, classes), seconds: (performance.now() - begun) / 1000 };
}

const zeros = (classes: readonly string[]): Float64Array => new Float64Array(classes.length);
