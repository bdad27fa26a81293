import type { CaseReader } from './case-reader.ts';
import { statisticsGraph } from './model.ts';
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
  if (config.norm !== 'batch') return;
  for (const [i, entry] of cases.slice(0, config.statisticsCases).entries()) {
    const { image, shape } = await reader.feeds(entry);
    const program = programs.get(
      `statistics ${shape.join('x')}`,
      () => statisticsGraph(config, classes.length, shape).graph,
      hostBytes(shape),
    );
    await program.run({ image, share: Float64Array.of(1 / (i + 1)) }, []);
  }
}
