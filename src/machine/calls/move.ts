import { type Box, dimIndex, intersect, isEmpty } from '../../core/index.ts';
import type { LocalNode } from '../../plan/index.ts';
import { MOST_DIMS } from '../formats/index.ts';
import { attrsOf } from '../rows/index.ts';
import type { CallRule } from './rule.ts';

// Operations that only move elements: copies of boxes with dimensions permuted or coordinates shifted.

const refuses = (node: LocalNode): string | undefined =>
  [...node.call.inputs, ...node.call.outputs].some(({ shape }) => shape.length > MOST_DIMS)
    ? 'more than five dimensions'
    : undefined;

const identity = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const transpose: CallRule = {
  refuses,
  build(site) {
    const [from] = site.anchor.inputs;
    const [to] = site.anchor.outputs;
    const perm = from.shape.map((dim) => dimIndex(to.shape, dim.name));
    const copy = { to, from, box: site.writes(), perm, shift: perm.map(() => 0) };
    return { op: 'move', fills: [], copies: [copy] };
  },
};

/** Elements in row-major order do not change. */
const reshape: CallRule = {
  refuses,
  build: (site) => ({
    op: 'reshape',
    from: site.anchor.inputs[0],
    read: site.reads(0),
    to: site.anchor.outputs[0],
    written: site.writes(),
  }),
};

const concat: CallRule = {
  refuses,
  build(site) {
    const [to] = site.anchor.outputs;
    const at = dimIndex(to.shape, attrsOf<'concat'>(site.anchor).dim);
    const perm = identity(to.shape.length);
    let next = 0;
    const copies = site.anchor.inputs.map((from) => {
      const start = next;
      next += from.shape[at].size;
      const part: Box = site.writes().map((r, i) => (i === at ? { start, end: next } : r));
      const shift = perm.map((i) => (i === at ? start : 0));
      return { to, from, box: intersect(site.writes(), part), perm, shift };
    });
    return { op: 'move', fills: [], copies: copies.filter(({ box }) => !isEmpty(box)) };
  },
};

const slice: CallRule = {
  refuses,
  build(site) {
    const { ranges } = attrsOf<'slice'>(site.anchor);
    const [from] = site.anchor.inputs;
    const [to] = site.anchor.outputs;
    const shift = to.shape.map((dim) => -(ranges[dim.name]?.[0] ?? 0));
    const copy = { to, from, box: site.writes(), perm: identity(to.shape.length), shift };
    return { op: 'move', fills: [], copies: [copy] };
  },
};

const pad: CallRule = {
  refuses,
  build(site) {
    const { padding, value: number } = attrsOf<'pad'>(site.anchor);
    const [from] = site.anchor.inputs;
    const [to] = site.anchor.outputs;
    const shift = to.shape.map((dim) => padding[dim.name]?.[0] ?? 0);
    const inner = from.shape.map((dim, i) => ({ start: shift[i], end: shift[i] + dim.size }));
    const box = intersect(site.writes(), inner);
    const copies = isEmpty(box) ? [] : [{ to, from, box, perm: identity(to.shape.length), shift }];
    return { op: 'move', fills: [{ value: to, box: site.writes(), number }], copies };
  },
};

const table: CallRule = {
  refuses,
  build(site) {
    const { shape, values } = attrsOf<'table'>(site.anchor);
    return { op: 'table', shape, values, to: site.anchor.outputs[0], box: site.writes() };
  },
};

export const moveCalls = { transpose, reshape, concat, slice, pad, table };
