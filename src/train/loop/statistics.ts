import { isFunction, movesStatistics, statisticsGraph } from '../config/model.ts';
import { passKey } from '../config/programs.ts';
import { casePasses } from '../samples/case-passes.ts';
import type { CaseReader } from '../samples/case-reader.ts';
import type { TrainerParts } from './trainer.ts';

/**
 * Measures the moving statistics of batch norm anew, as the means over the first training cases as they are, without
 * augmentation and dropout. The running averages of training are poor with one case a step: they follow what augmentation made
 * of the last cases, and lag behind the weights. Nothing else changes, and training does not read what changes.
 */
export async function measureStatistics(
  { config, programs, cases, classes, hostBytes }: TrainerParts,
  reader: CaseReader,
): Promise<void> {
  if (!isFunction(config) && config.norm !== 'batch') return;
  let moves: boolean | undefined;
  for (const [i, entry] of cases.slice(0, config.statisticsCases).entries()) {
    let seen = i;
    for (const { image, size, volume, batch, share } of await casePasses(config, reader, entry)) {
      // Sizes do not change what a network has.
      moves ??= movesStatistics(config, classes.length, size);
      if (!moves) return;
      const program = await programs.get(
        passKey('statistics', batch, size),
        () => statisticsGraph(config, classes.length, size, batch).graph,
        hostBytes(volume),
      );
      seen += share;
      await program.run({ image, share: Float64Array.of(share / seen) }, []);
    }
  }
}
