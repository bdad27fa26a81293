import { type Box, dimIndex, intersect, isEmpty } from '../../core/index.ts';
import type { LocalNode } from '../../plan/index.ts';
import { attrsOf } from './attrs.ts';
import type { CpuKernel } from './cpu-kernel.ts';
import { rightAligned } from './launch.ts';
import { boxView, cpuTensor, storageBytes } from './storage.ts';

// Operations that only move elements: copies of boxes with dimensions permuted or coordinates shifted.

const fiveDims = (node: LocalNode): string | undefined =>
  [...node.call.inputs, ...node.call.outputs].some(({ shape }) => shape.length > 5)
    ? 'more than five dimensions'
    : undefined;

const transpose: CpuKernel = {
  refuses: fiveDims,
  prepare(launch) {
    const x = launch.input(0);
    const perm = x.shape.map((dim) => dimIndex(launch.output().shape, dim.name));
    return launch.copy(launch.output(), x, launch.writes(), { perm, shift: x.shape.map(() => 0) });
  },
};

/** Elements in row-major order do not change: through plain memory, which both shapes name in their own way. */
const reshape: CpuKernel = {
  refuses: fiveDims,
  prepare(launch) {
    const from = launch.input(0);
    const to = launch.output();
    const type = { shape: from.shape, dtype: from.dtype, plain: true };
    const address = launch.args.scratch(storageBytes(type, launch.reads(0)));
    const before = launch.copy(cpuTensor(address, type, launch.reads(0)), from, launch.reads(0));
    const after = launch.copy(
      to,
      cpuTensor(address, { ...type, shape: to.shape }, launch.writes()),
      launch.writes(),
    );
    return () => {
      before();
      after();
    };
  },
};

const identity = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const concat: CpuKernel = {
  refuses: fiveDims,
  prepare(launch) {
    const to = launch.output();
    const at = dimIndex(to.shape, attrsOf<'concat'>(launch.anchor).dim);
    let next = 0;
    const copies = launch.anchor.inputs.map((value) => {
      const from = launch.tensorOf(value);
      const start = next;
      next += value.shape[at].size;
      const part: Box = launch.writes().map((r, i) => (i === at ? { start, end: next } : r));
      const box = intersect(launch.writes(), part);
      if (isEmpty(box)) return () => undefined;
      return launch.copy(to, from, box, {
        perm: identity(to.shape.length),
        shift: to.shape.map((_, i) => (i === at ? start : 0)),
      });
    });
    return () => {
      for (const copy of copies) copy();
    };
  },
};

const slice: CpuKernel = {
  refuses: fiveDims,
  prepare(launch) {
    const { ranges } = attrsOf<'slice'>(launch.anchor);
    const to = launch.output();
    const shift = to.shape.map((dim) => -(ranges[dim.name]?.[0] ?? 0));
    return launch.copy(to, launch.input(0), launch.writes(), { perm: identity(to.shape.length), shift });
  },
};

const pad: CpuKernel = {
  refuses: fiveDims,
  prepare(launch) {
    const { padding, value } = attrsOf<'pad'>(launch.anchor);
    const to = launch.output();
    const from = launch.input(0);
    const shift = to.shape.map((dim) => padding[dim.name]?.[0] ?? 0);
    const inner = from.shape.map((dim, i) => ({ start: shift[i], end: shift[i] + dim.size }));
    const slots = rightAligned(to.shape);
    const region = boxView(to.shape, launch.writes(), slots);
    const [view, start, size] = [
      launch.view(to, slots),
      launch.args.longs(region.start),
      launch.args.longs(region.size),
    ];
    const box = intersect(launch.writes(), inner);
    const copy = isEmpty(box)
      ? () => undefined
      : launch.copy(to, from, box, { perm: identity(to.shape.length), shift });
    return () => {
      launch.library.call('hm_fill', view, start, size, value);
      copy();
    };
  },
};

/** Numbers known when the plan is made: kept beside the arena and copied in. */
const table: CpuKernel = {
  refuses: fiveDims,
  prepare(launch) {
    const { shape, values } = attrsOf<'table'>(launch.anchor);
    const whole = shape.map((dim) => ({ start: 0, end: dim.size }));
    const type = { shape, dtype: 'f64', plain: true } as const;
    const address = launch.args.scratch(storageBytes(type, whole));
    launch.library.upload(address, Float64Array.from(values));
    return launch.copy(launch.output(), cpuTensor(address, type, whole), launch.writes());
  },
};

export const moveKernels = { transpose, reshape, concat, slice, pad, table };
