import type { CallOf } from '../../calls/index.ts';
import { five } from '../../formats/index.ts';
import { Arguments } from '../arguments.ts';
import type { Step } from '../maker.ts';
import { type CudaTensor, placed } from '../tensors.ts';
import { finishStep } from './frame.ts';
import { BLOCK, blocksOf, channelsOf } from './tile.ts';

/** The ends of the sums of a weight's gradient on tensor cores: one for each source, whose blocks of channels begin anew. */
export function ends(
  { window: { kernel }, x, into }: CallOf<'conv_weight_grad'>,
  result: CudaTensor,
  sums: {
    readonly part: number;
    readonly places: number;
    readonly inputs: number;
    readonly tiles: number;
    readonly one: number;
  },
): Step[] {
  const { part, places, inputs, tiles, one } = sums;
  const start = five(into.value.shape, into.slots, (i) => into.box[i].start, 0);
  const size = five(into.value.shape, into.slots, (i) => into.box[i].end - into.box[i].start, 1);
  const place = inputs * BLOCK * BLOCK;
  const step = [BLOCK, kernel[1] * kernel[2] * place, kernel[2] * place, place, places * place];
  let [channel, block] = [0, 0];
  return x.map((source) => {
    const args = new Arguments();
    args.anyView('to', result, placed(result, into.slots), true);
    const box = {
      start: [start[0] + channel, ...start.slice(1)],
      size: [channelsOf(source), ...size.slice(1)],
      kept: [true, true, true, true, true],
    };
    const from = part + 8 * block * BLOCK * BLOCK;
    channel += channelsOf(source);
    block += blocksOf(source);
    return finishStep(args, box, { part: from, step, lanes: BLOCK, tiles, tileStep: one });
  });
}
