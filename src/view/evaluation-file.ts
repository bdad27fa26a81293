import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { fail } from '../core/index.ts';
import { readJsonFile } from '../files/index.ts';
import type { ShownLesions, ShownScores } from './protocol.ts';

// summary.json of `halomesh evaluate`, as far as the page shows it.

const number = z.number().nullable();
const lesions = z.object({
  trueLesions: z.number(),
  found: z.number(),
  predictedLesions: z.number(),
  matched: z.number(),
});
const cases = z.array(
  z.object({
    id: z.string(),
    kind: z.string().optional(),
    classes: z.record(z.string(), z.object({ dice: number, hausdorff95: number.optional() })),
    lesions: lesions.optional(),
  }),
);
const named = z.array(z.object({ name: z.string() }));
const part = z.object({ original: z.object({ cases, classes: named }) });
const schema = part.extend({
  data: z.string(),
  settings: z.object({ lesion: z.string().nullable() }),
  apart: z.array(part).optional(),
});

export interface CaseScoresShown {
  readonly kind?: string;
  /** Of the classes above 0. */
  readonly scores: Readonly<Record<string, ShownScores>>;
  readonly lesions?: ShownLesions;
}

export interface EvaluationShown {
  /** The data set that was compared with. */
  readonly data: string;
  /** The class whose parts were counted. */
  readonly lesion: string | null;
  /** Names of labels 0, 1, 2... */
  readonly classes: readonly string[];
  readonly cases: ReadonlyMap<string, CaseScoresShown>;
}

/** The evaluation of label maps in a folder; undefined where there is none. Throws HalomeshError for a file that is no evaluation. */
export async function evaluationIn(folder: string): Promise<EvaluationShown | undefined> {
  const file = path.join(folder, 'summary.json');
  if (!existsSync(file)) return undefined;
  const content = await readJsonFile(file);
  // Where images have one label there is nothing to lay over them.
  if ((content as { readonly task?: unknown } | null)?.task === 'classify') return undefined;
  const parsed = schema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return fail({
      file,
      where: `"${issue.path.join('.')}"`,
      problem: 'is not what halomesh evaluate writes',
      hint: 'Evaluate anew, or move the file away',
    });
  }
  const { data, settings, original, apart = [] } = parsed.data;
  const all = [{ original }, ...apart].flatMap((one) => one.original.cases);
  const names = original.classes.map(({ name }) => name);
  return {
    data,
    lesion: settings.lesion,
    classes: names,
    cases: new Map(
      all.map(({ id, kind, classes, lesions }) => [
        id,
        {
          kind,
          scores: Object.fromEntries(
            Object.entries(classes).flatMap(([name, { dice, hausdorff95 = null }]) =>
              name === names[0] ? [] : [[name, { dice, hd95: hausdorff95 }]],
            ),
          ),
          lesions,
        },
      ]),
    ),
  };
}
