import { type Case, imageClassOf, layersOf, type ScoredImage, wholeBox } from '../../imaging/index.ts';
import type { HostArray, Processes } from '../../machine/index.ts';
import { together } from '../../run/index.ts';
import { evaluationGraph, judgedNames } from '../config/model.ts';
import { passKey } from '../config/programs.ts';
import { classifies } from '../config/task/task.ts';
import type { DiceByClass, ImageMeasures } from '../record/log.ts';
import { absentClasses, hardDice, imageMeasures, scoredImages } from '../record/scores.ts';
import { casePasses } from '../samples/case-passes.ts';
import type { CaseReader } from '../samples/case-reader.ts';
import { PIECE_VOXELS } from '../samples/cases.ts';
import type { TrainerParts } from './trainer.ts';

/** How good a network is on cases that it is not trained on. */
export interface Validation extends ImageMeasures {
  /** Mean over the cases; in 2-D, of a case over its passes. */
  readonly loss: number;
  /** Of the sums over all cases, by class; null where a class is neither true nor predicted. Empty where images have one label. */
  readonly dice: DiceByClass;
  /** Classes above 0 that no held-out case has. */
  readonly absent?: readonly string[];
  readonly seconds: number;
}

/**
 * Reads all held-out cases to their ends, so that one that cannot be read, or fits neither classes nor window, is refused before the
 * first step and not at the first validation. All processes call it, and each reads its share. The signal ends it early.
 */
export async function checkHeldOut(
  held: readonly Case[],
  reader: CaseReader,
  processes: Processes,
  signal?: AbortSignal,
): Promise<void> {
  const mine = held.filter((_, n) => n % processes.ranks.length === processes.index);
  await together(processes, 'held-out cases', async () => {
    for (const entry of mine) {
      if (signal?.aborted) return;
      const source = await reader.source({ ...entry, checkWindow: true });
      // What is prepared whole is read by then, other cases when their boxes are asked for.
      if (!reader.readsBoxes(entry)) continue;
      for (const box of layersOf(wholeBox(source.shape), PIECE_VOXELS)) {
        await source.image(box);
        if (entry.label !== undefined) await source.labels(box);
      }
    }
  });
}

/** Judges the network of a session, or that of the averages of its weights, on prepared cases. Changes nothing. */
export async function validate(
  { config, programs, classes, hostBytes }: TrainerParts,
  held: readonly Case[],
  reader: CaseReader,
): Promise<Validation> {
  const begun = performance.now();
  let loss = 0;
  const images: ScoredImage[] = [];
  const judged = judgedNames(config, classes);
  const sums = { both: zeros(judged), predicted: zeros(judged), truth: zeros(judged) };
  for (const entry of held) {
    const checked = { ...entry, checkWindow: true };
    for (const { image, labels, size, volume, batch, share } of await casePasses(config, reader, checked)) {
      const program = await programs.get(
        passKey('validation', batch, size),
        () => evaluationGraph(config, classes.length, size, batch).graph,
        hostBytes(volume),
      );
      const cls = classifies(config) ? imageClassOf(entry, classes) : undefined;
      const out = await program.run({ image, labels: cls === undefined ? labels : Uint8Array.of(cls) });
      loss += (share * out.loss[0]) / held.length;
      if (cls !== undefined) {
        images.push(...scoredImages([cls], out.probabilities));
        continue;
      }
      addCounts(sums.both, out.count_both);
      addCounts(sums.predicted, out.count_predicted);
      addCounts(sums.truth, out.count_true);
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  if (classifies(config)) return { loss, dice: {}, ...imageMeasures(images, classes), seconds };
  return { loss, dice: hardDice(sums, judged), absent: absentClasses(sums.truth, judged), seconds };
}

/** Adds the counts [sample, class] of each sample. */
function addCounts(sums: Float64Array, counts: HostArray): void {
  for (let i = 0; i < counts.length; i++) sums[i % sums.length] += counts[i];
}

const zeros = (classes: readonly string[]): Float64Array => new Float64Array(classes.length);
