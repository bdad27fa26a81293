import { boxBySlots, type Five, type Place, SLOT_C } from '../../formats/index.ts';
import type { Row, RowInstruction } from '../../rows/index.ts';
import { Arguments } from '../arguments.ts';
import { nativeText } from '../library.ts';
import type { Maker, Step } from '../maker.ts';
import { type CudaTensor, operandPlace, placed } from '../tensors.ts';
import { finishedTogether } from './finished.ts';
import { frame } from './frame.ts';
import { takesMatrixConv } from './matrix-conv.ts';
import { pack } from './matrix-parts.ts';
import { named } from './printer.ts';
import { slabsOf, withPlanes } from './slabs.ts';
import { BLOCK, blocksOf, type Contraction, canFinish, product } from './tile.ts';

// Convolutions of kernel 3x3x3 without stride, and their gradients, by native/cuda/kernels/rolling.h: sources are finished first, the
// kernel rounds its results to bfloat16, and what else the epilogue does with them is a pass of its own.

const [TILE_H, TILE_W, THREADS] = [16, 32, 384];
/** Blocks that keep the largest devices busy, one for each multiprocessor. */
const BUSY = 132;
const EVERY = [true, true, true, true, true];

const inputsOf = (call: Contraction): number =>
  call.sources.reduce((sum, source) => sum + blocksOf(source), 0);

/** Stages of planes in shared memory; 0 where not even two have room. */
function stagesOf(call: Contraction, { shared }: Maker): number {
  const places = (TILE_H + 2) * (TILE_W + 2);
  const weights = inputsOf(call) * 27 * 512;
  return [4, 3, 2].find((stages) => weights + stages * 2 * places * 16 <= shared) ?? 0;
}

export function takesRolling(call: Contraction, make: Maker): boolean {
  const { window, sources } = call;
  const plain = [window.stride, window.dilation].every((list) => product(list) === 1);
  const cube = window.kernel.every((length) => length === 3);
  return (
    plain &&
    cube &&
    stagesOf(call, make) > 0 &&
    sources.every((source) => canFinish(source, make)) &&
    takesMatrixConv(call, make) &&
    targetsOf(call, make) !== undefined
  );
}

/** Where results lie: channels from `start` on, `blocks` blocks of them. */
interface Target {
  readonly address: number;
  readonly place: Place;
  readonly start: number;
  readonly blocks: number;
}

/**
 * The bfloat16 tensors that keep the results of a contraction, by channels: one, or two that share them. The rest of the epilogue takes
 * the numbers as they are stored. No memory is read by a kernel that also writes it, so these may be written first.
 */
function targetsOf({ out, epilogue }: Contraction, make: Maker): readonly Target[] | undefined {
  const { start, size } = boxBySlots(out.shape, out.box, out.slots);
  const end = start[SLOT_C] + size[SLOT_C];
  const targets = storesOf(epilogue).flatMap(({ operand: number }): Target[] => {
    const operand = epilogue.operands[number];
    if (operand.kind === 'vector') return [];
    const tensor = make.tensorOf(operand.value);
    const place = operandPlace(tensor, operand, tensor.shape, epilogue.slots);
    const first = Math.max(start[SLOT_C], place.start[SLOT_C]);
    const channels = Math.min(end, place.start[SLOT_C] + place.size[SLOT_C]) - first;
    const whole = channels % BLOCK === 0 && (first - place.start[SLOT_C]) % BLOCK === 0;
    const fits = tensor.dtype === 'bf16' && place.block === BLOCK && whole;
    return fits ? [{ address: tensor.address, place, start: first, blocks: channels / BLOCK }] : [];
  });
  targets.sort((x, y) => x.start - y.start);
  const blocks = targets.reduce((sum, target) => sum + target.blocks, 0);
  const ordered = targets.every(
    (target, i) => i === 0 || target.start === targets[i - 1].start + targets[i - 1].blocks * BLOCK,
  );
  const all = targets[0]?.start === start[SLOT_C] && blocks * BLOCK === size[SLOT_C];
  return all && ordered && targets.length <= 2 ? targets : undefined;
}

/** The stores of the results themselves. */
function storesOf({ instructions, input }: Row): readonly RowInstruction[] {
  const end = instructions.findIndex(({ dst }) => dst === input);
  return instructions
    .slice(0, end < 0 ? undefined : end)
    .filter(({ op, src }) => op === 'STORE' && src[0] === input);
}

export function rollingSteps(call: Contraction, weight: CudaTensor, make: Maker): Step[] {
  const { out, sources, op, window } = call;
  const inputs = inputsOf(call);
  const outputs = boxBySlots(out.shape, out.box, out.slots).size[SLOT_C] / BLOCK;
  const packed = pack(call, weight, make, { inputs, outputs, turned: op === 'conv_transpose', woven: true });
  const targets = targetsOf(call, make)!;
  // The plane of the input at which the middle of the kernel lies for the output's first.
  const pad = window.pad.map((x) => (op === 'conv' ? x : 2 - x));
  const slabs = make.inTurn(
    slabsOf(out, sources, 1, make).map((slab) => () => {
      const read = { begin: slab.begin - pad[0], end: slab.end - pad[0] + 2 };
      const parts = sources.map(({ row, region }) => ({ row, region: withPlanes(region, read) }));
      return slabSteps({ ...call, out: withPlanes(out, slab), sources: parts }, make, {
        packed: packed.address,
        targets,
        pad,
      });
    }),
  );
  return [...packed.steps, ...slabs.flat(), ...afterwards(make, call, targets)];
}

/** The launches of a slab. */
function slabSteps(
  call: Contraction,
  make: Maker,
  {
    packed,
    targets,
    pad,
  }: { readonly packed: number; readonly targets: readonly Target[]; readonly pad: readonly number[] },
): Step[] {
  const { out, op } = call;
  const [inputs, stages] = [inputsOf(call), stagesOf(call, make)];
  const ready = finishedTogether(call.sources, make);
  const { region, row } = ready.source;
  const { start, size } = boxBySlots(out.shape, out.box, out.slots);
  const outputs = size[SLOT_C] / BLOCK;
  const begin = boxBySlots(region.shape, region.box, region.slots);
  const origin = pad.map((x, i) => start[i + 1] + 1 - x);
  // In the coordinates of the input's plane that the middle of the kernel meets.
  const seen = ({ place }: Target): Place => ({
    ...place,
    start: place.start.map((x, i) =>
      i > 0 && i < SLOT_C ? x - start[i] + origin[i - 1] : x,
    ) as unknown as Five,
  });
  const [high, wide] = [Math.ceil(size[2] / TILE_H), Math.ceil(size[3] / TILE_W)];
  const each = size[0] * outputs * high * wide;
  const length = Math.ceil(size[1] / Math.min(size[1], Math.max(1, Math.floor(BUSY / each))));
  const parts = Math.ceil(size[1] / length);
  const args = new Arguments();
  args.view('x', 'bf16', ready.tensor.address, placed(ready.tensor, row.slots), EVERY);
  for (const [i, target] of [targets[0], targets[1] ?? targets[0]].entries())
    args.view(`y${i}`, 'bf16', target.address, seen(target), EVERY);
  args.pointer('packed', 'const Four', packed);
  args.long('batch', start[0]);
  args.longs('origin', origin);
  args.longs(
    'low',
    begin.start.slice(1, 4).map((x, i) => x - origin[i]),
  );
  args.longs('size', begin.size.slice(1, 4));
  args.longs('out', size.slice(1, 4));
  const [x_channel, channel] = [begin.start[SLOT_C], start[SLOT_C]];
  const second = targets[1]?.start ?? channel + size[SLOT_C];
  const numbers = { outputs, high, wide, parts, length, x_channel, channel, second };
  for (const [name, value] of Object.entries(numbers)) args.long(name, value);
  const text = `// ${op} 3x3x3, rolling, tensor cores\n${nativeText('matrix.h')}constexpr int inputs = ${inputs}, stages = ${stages};\nstruct Args {\n${args.members}};\n${nativeText('kernels/rolling.h')}`;
  const shared = inputs * 27 * 512 + stages * 2 * (TILE_H + 2) * (TILE_W + 2) * 16;
  const source = { ...named(text, true), threads: THREADS, shared };
  return [...ready.before, { source, blocks: parts * each, args: args.bytes }];
}

/** The rest of the epilogue, over results that lie as bfloat16; nothing where it leaves nothing. */
function afterwards(make: Maker, { out, epilogue }: Contraction, targets: readonly Target[]): Step[] {
  const done = new Set(storesOf(epilogue));
  const row = { ...epilogue, instructions: epilogue.instructions.filter((one) => !done.has(one)) };
  if (!row.instructions.some(({ op }) => op === 'STORE' || op === 'SUM')) return [];
  return frame(make, out, row, {
    title: 'the end of a convolution',
    registers: 1,
    print(to, { lanes }) {
      const type = row.wide ? 'double' : 'float';
      const reads = targets.map(({ address, place }) => {
        const name = to.fresh('made');
        to.args.view(name, 'bf16', address, place, EVERY);
        const where = `a.${name}, n, d, h, w, c`;
        return lanes > 1 ? `get_lanes(${where}, x);` : `x[0] = get<${type}>(${where});`;
      });
      if (reads.length === 1) return { each: `${reads[0]}\n` };
      const limit = `(int)a.${to.long('limit', targets[1].start)}`;
      return { each: `if (c < ${limit}) ${reads[0]}\nelse ${reads[1]}\n` };
    },
  });
}
