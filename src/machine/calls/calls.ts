import { fail, isEmpty } from '../../core/index.ts';
import type { OpName } from '../../ops/index.ts';
import type { Kernel, LocalNode, LocalValue } from '../../plan/index.ts';
import { defaultSlots } from '../formats/index.ts';
import { isElementwise, leavesLanes, type PointwiseName } from '../rows/index.ts';
import { type Call, type Fill, NOTHING } from './call.ts';
import { classCalls } from './classes.ts';
import { collapseCalls } from './collapse.ts';
import { moveCalls } from './move.ts';
import type { CallRule } from './rule.ts';
import { Site } from './site.ts';
import { windowCalls } from './window.ts';

/** Values that come from outside: nothing to do. */
const given: CallRule = { build: () => NOTHING };

/** Every operation but the element-wise ones, which are rows. A missing one does not compile. */
const RULES: Readonly<Record<Exclude<OpName, PointwiseName | 'assign'>, CallRule>> = {
  input: given,
  variable: given,
  ...collapseCalls,
  ...windowCalls,
  ...moveCalls,
  ...classCalls,
};

export function ruleOf(name: string): CallRule | undefined {
  return Object.hasOwn(RULES, name) ? RULES[name as keyof typeof RULES] : undefined;
}

/** True for operations that are whole rows: element-wise ones and assignments. */
export function isRowOp(name: string): boolean {
  return isElementwise(name) || ['fill', 'cast', 'broadcast', 'random', 'assign'].includes(name);
}

/** What a kernel does on a rank. `homeOf`: the same for values that lie in the same memory. */
export function callOf(kernel: Kernel, rank: number, homeOf: (value: LocalValue) => object): Call {
  const site = new Site(kernel, rank, homeOf);
  const { anchor } = kernel;
  if (anchor === undefined || anchor.op.role === 'assign') return rowsCall(site);
  if (isEmpty(anchor.loops[rank])) return neutralCall(site);
  const rule = ruleOf(anchor.op.name);
  return rule?.build(site) ?? fail({ where: anchor.call.where, problem: 'there is no call for it' });
}

/** Element-wise operations and sums in one pass over their iteration. */
function rowsCall(site: Site): Call {
  const { kernel, rank } = site;
  const root = kernel.writes[0].producer;
  const summed = isLeft(root);
  const { shape } = summed ? root.call.inputs[0] : root.call.outputs[0];
  const box = summed ? root.op.reads(root.call, root.loops[rank])[0] : root.loops[rank];
  if (isEmpty(box)) return neutralCall(site);
  const slots = defaultSlots(shape);
  const stored = [...kernel.nodes, ...kernel.writes.map((value) => value.producer)];
  const wide = stored.some((node) => !isLeft(node) && node.outputs[0].dtype === 'f64');
  const row = site.rows(shape, slots, wide);
  for (const value of kernel.writes) {
    if (value.producer.op.role === 'assign') row.storeAs(value.producer.inputs[1], value);
    else site.leave(row, value);
  }
  return { op: 'rows', row: row.build(), region: { shape, box, slots } };
}

/** True for what a pass over input 0 leaves: sums, and one number a position. */
const isLeft = (node: LocalNode): boolean => node.op.name === 'reduce_sum' || leavesLanes(node);

const NEUTRAL = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY };

/** A rank without work still leaves the neutral element where its part of a reduction is awaited. */
function neutralCall({ kernel, rank }: Site): Call {
  const fills = kernel.writes.flatMap((value): Fill[] => {
    const box = value.own[rank];
    return isEmpty(box) ? [] : [{ value, box, number: NEUTRAL[value.producer.op.combine] }];
  });
  return { op: 'move', fills, copies: [] };
}
