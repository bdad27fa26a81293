import { existsSync, statSync } from 'node:fs';
import { fail } from '../../core/index.ts';
import type { Processes } from '../../machine/index.ts';
import { averageName } from '../../nn/index.ts';
import { together, type Variables } from '../../run/index.ts';
import { runFolder } from './run-folder.ts';
import { openSafetensors } from './safetensors.ts';

// The weights of another run as the first ones of a run, where names and shapes agree.

/** What a layer has taken. */
export interface TakenLayer {
  readonly layer: string;
  /** Weights and moving statistics that it has, and those that begin as in the file. */
  readonly all: number;
  readonly taken: number;
  /** Why the others do not, the first of them. */
  readonly why?: string;
}

export interface TakenWeights {
  readonly file: string;
  readonly layers: readonly TakenLayer[];
}

/** The best checkpoint of a run, else the latest one; a file itself. */
function fileOf(init: string): string {
  if (!existsSync(init) || !statSync(init).isDirectory()) return init;
  const { best, latest } = runFolder(init);
  return existsSync(best) ? best : latest;
}

/** The first weights of a run that begins with those of `init`, where there is one. All processes call it. */
export async function beginWith(
  init: string | undefined,
  processes: Processes,
  variables: Variables,
): Promise<TakenWeights | undefined> {
  return init === undefined
    ? undefined
    : together(processes, 'the first weights', () => takeWeights(init, variables));
}

/**
 * Sets weights and moving statistics to those of a run or file, to the running averages of weights where it has them. Throws
 * HalomeshError where none agrees, or one that does is damaged.
 */
async function takeWeights(init: string, variables: Variables): Promise<TakenWeights> {
  const file = fileOf(init);
  const opened = await openSafetensors(file);
  try {
    const names = variables.names();
    const weights = names.filter((name) => variables.types.get(name)!.trainable);
    // What an optimizer keeps of a weight, and its averages, lie below the name of the weight.
    const own = names.filter((name) => !weights.some((weight) => name.startsWith(`${weight}/`)));
    const layers = new Map<string, { all: number; taken: number; why?: string }>();
    for (const name of own) {
      const layer = name.split('/')[0];
      const told = layers.get(layer) ?? { all: 0, taken: 0 };
      layers.set(layer, told);
      told.all++;
      const from = opened.tensors.has(averageName(name)) ? averageName(name) : name;
      const here = variables.types
        .get(name)!
        .shape.map(({ size }) => size)
        .join(' x ');
      const there = opened.tensors.get(from)?.shape.join(' x ');
      if (there === here) {
        variables.set(name, await opened.read(from));
        told.taken++;
      } else
        told.why ??= there === undefined ? `no "${name}" there` : `"${name}" is ${there} there, ${here} here`;
    }
    const told = [...layers].map(([layer, counts]) => ({ layer, ...counts }));
    if (told.every(({ taken }) => taken === 0))
      fail({
        where: file,
        problem: 'has no weight to begin with',
        expected: `tensors such as "${weights[0]}", of the shapes of this network`,
        found: [...opened.tensors.keys()].slice(0, 3).join(', ') || 'no tensors',
      });
    return { file, layers: told };
  } finally {
    await opened.close();
  }
}
