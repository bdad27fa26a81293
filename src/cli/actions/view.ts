import { HalomeshError } from '../../core/index.ts';
import { checkOutputs, systemErrorCode } from '../../files/index.ts';
import { PageFiles, saveView, serveView, View, type ViewData } from '../../view/index.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { say, tell } from '../terminal/say.ts';
import { relative } from '../terminal/words.ts';

export interface ViewFlags {
  readonly predictions?: readonly string[];
  readonly truth?: string;
  readonly port?: number;
  readonly save?: string;
  readonly case?: readonly string[];
  readonly overwrite?: boolean;
}

/** Runs `halomesh view`. */
export async function viewAction(paths: readonly string[], flags: ViewFlags): Promise<void> {
  const { predictions = [], truth, save, port } = flags;
  const page = new PageFiles();
  const view = await View.open({ paths, predictions, truth });
  try {
    if (save !== undefined)
      checkOutputs({ reads: view.opened.roots, writes: [save], overwrite: flags.overwrite });
    for (const note of view.data.notes) tell(`note: ${note}`);
    if (save !== undefined) {
      await saveView(view, page, save, { cases: flags.case ?? worstOf(view.data) });
      say(relative(save));
      return;
    }
    await serve(view, page, port);
  } finally {
    view.close();
  }
}

/** Serves until Ctrl-C. */
async function serve(view: View, page: PageFiles, port: number | undefined): Promise<void> {
  const server = await serveView(view, page, port).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EADDRINUSE') throw error;
    throw new HalomeshError(
      { where: `--port ${port}`, problem: 'another program has it', hint: 'Give another, or none' },
      { cause: error },
    );
  });
  const interruption = onInterrupt(() => undefined);
  try {
    say(`${server.url}    (Ctrl-C ends it)`);
    await new Promise<void>((resolve) => {
      interruption.signal.addEventListener('abort', () => resolve());
      // `train --watch` started it: it ends with the training.
      process.once('disconnect', resolve);
      if (interruption.signal.aborted) resolve();
    });
  } finally {
    await server.close();
    interruption.stop();
  }
}

/** The case with the lowest mean Dice that has a scan; the first with a scan where none has scores. */
function worstOf({ cases }: ViewData): string[] {
  const shown = cases.filter(({ images, slide }) => images.length > 0 || slide !== undefined);
  const score = ({ results }: ViewData['cases'][number]): number =>
    Math.min(
      Infinity,
      ...results.flatMap(({ scores }) => {
        const dice = Object.values(scores ?? {}).flatMap((one) => one.dice ?? []);
        return dice.length === 0 ? [] : [dice.reduce((a, b) => a + b, 0) / dice.length];
      }),
    );
  return shown
    .toSorted((a, b) => score(a) - score(b) || 0)
    .slice(0, 1)
    .map(({ id }) => id);
}
