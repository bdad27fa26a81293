import { dimOf, fail, HalomeshError, showShape, type Value } from '../core/index.ts';
import { BATCH, channelOf, spaceOf } from './axes.ts';
import type { Context } from './context.ts';
import { TOOLKIT, type Toolkit } from './toolkit.ts';
import { CLASS } from './unet.ts';

/**
 * A network of one's own: from an image [batch, space..., channel] the scores of every class at every voxel, [batch, space..., class];
 * or, in a list behind them, those of lower resolutions from the highest down, for deep supervision where `ctx.deep` asks for it.
 * `kit` has all layers and operations, so that a module that exports such a function needs no imports.
 */
export type NetworkFunction = (
  ctx: Context,
  image: Value,
  classes: number,
  kit: Toolkit,
) => Value | readonly Value[];

/** A network that a function builds. */
export interface CustomNetwork {
  readonly kind: 'custom';
  readonly classes: number;
  /** Of the function or its file, for messages. */
  readonly name: string;
  readonly build: NetworkFunction;
}

/** Calls the function of a network and refuses what are no scores. */
export function customLevels(
  ctx: Context,
  image: Value,
  { name, classes, build }: CustomNetwork,
  deep: boolean,
): readonly Value[] {
  const where = `network ${name}`;
  const made = called(where, () => build(ctx, image, classes, TOOLKIT));
  const levels: readonly unknown[] = Array.isArray(made) ? made : [made];
  if (levels.length === 0) fail({ where, problem: 'gives no scores', expected: 'one value at least' });
  const checked = levels.map((level, n) => checkScores(where, image, classes, level, n === 0));
  if (!deep) return checked.slice(0, 1);
  if (checked.length === 1)
    fail({
      where,
      problem: 'gives no scores of lower resolutions, which deep supervision needs',
      expected: 'a list of scores, from the highest resolution down, where ctx.deep',
      found: 'scores of one resolution',
      hint: 'Return them too, or train without --deep-supervision',
    });
  return checked;
}

/** What a function of a user's gives; its errors carry the name of the network. */
export function called<T>(where: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof HalomeshError) throw error;
    const problem =
      error instanceof Error ? `${error.name}: ${error.message}${lineOf(error)}` : String(error);
    return fail({ where, problem }, { cause: error });
  }
}

/** The line of a module, which was loaded from its text, that an error comes from; empty for functions given in code. */
function lineOf({ stack = '' }: Error): string {
  const line = /data:text\/javascript;base64,[\w+/=]*:(\d+):\d+/.exec(stack)?.[1];
  return line === undefined ? '' : ` (line ${line})`;
}

function checkScores(where: string, image: Value, classes: number, found: unknown, whole: boolean): Value {
  const refuse = (problem: string, expected: string, text: string): never =>
    fail({ where, problem, expected, found: text, hint: 'End with scoresOf(ctx, x, classes, 1)' });
  if (!isValue(found, image))
    return refuse(
      'gives what is no value of its graph',
      'scores',
      found instanceof Promise ? 'a promise' : typeof found,
    );
  const space = spaceOf(image, where);
  const shown = showShape(found.shape);
  const names = [BATCH, ...space.map((axis) => axis.name), CLASS];
  if (found.shape.map((dim) => dim.name).join() !== names.join())
    refuse('dimensions of the scores', `[${names.join(' ')}]`, shown);
  if (channelOf(found).size !== classes) refuse('scores', `${classes} classes`, shown);
  if (dimOf(found.shape, BATCH, where).size !== dimOf(image.shape, BATCH, where).size)
    refuse('scores', 'as many images as are given', shown);
  if (whole && space.some(({ name, size }) => dimOf(found.shape, name, where).size !== size))
    refuse('size of the scores', `that of the image, ${showShape(image.shape)}`, shown);
  if (found.dtype !== 'f32' && found.dtype !== 'bf16')
    refuse('type of the scores', 'f32 or bf16', found.dtype);
  return found;
}

const isValue = (found: unknown, { graph }: Value): found is Value =>
  typeof found === 'object' &&
  found !== null &&
  'graph' in found &&
  found.graph === graph &&
  'shape' in found;
