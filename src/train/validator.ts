import type { Case } from '../imaging/index.ts';
import type { CaseReader } from './case-reader.ts';
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
  { config, programs, classes, hostBytes }: TrainerParts,
  held: readonly Case[],
  reader: CaseReader,
): Promise<Validation> {
  const begun = performance.now();
  let loss = 0;
  const sums = { both: zeros(classes), predicted: zeros(classes), truth: zeros(classes) };
  for (const entry of held) {
    const { image, labels, shape } = await reader.feeds(entry);
    const program = programs.get(
      `validation ${shape.join('x')}`,
      () => evaluationGraph(config, classes.length, shape).graph,
      hostBytes(shape),
    );
    const out = await program.run({ image, labels });
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
