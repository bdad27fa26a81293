import type { Shape } from '../../core/index.ts';
import type { Windows } from '../../ops/index.ts';
import type { LocalNode } from '../../plan/index.ts';
import { five, imageSlots, SLOT_C, SLOT_N, type Slots } from '../formats/index.ts';
import { attrsOf } from '../rows/index.ts';
import type { PoolKind, Three, WindowThree } from './call.ts';
import type { CallRule } from './rule.ts';
import type { Site } from './site.ts';

// Convolutions, pooling and resizing: everything that slides a window over d, h and w.

function refusesImage(shape: Shape, spatial: readonly string[]): string | undefined {
  const outer = shape.slice(0, -1);
  if (spatial.includes(shape[shape.length - 1].name)) return 'a window over the last dimension';
  if (spatial.length > 3) return 'more than three spatial dimensions';
  if (outer.length > 4) return 'more than five dimensions';
  if (outer.length === 4 && spatial.includes(outer[0].name))
    return 'more than three dimensions beside a batch';
  return undefined;
}

const axesOf = (node: LocalNode): string[] => Object.keys((node.call.attrs as { window: Windows }).window);
const refuses = (node: LocalNode): string | undefined =>
  refusesImage(node.call.inputs[0].shape, axesOf(node));

/** The window by slots d, h, w. */
function windowThree(window: Windows, slots: Slots): WindowThree {
  const kernel: [number, number, number] = [1, 1, 1];
  const stride: [number, number, number] = [1, 1, 1];
  const dilation: [number, number, number] = [1, 1, 1];
  const pad: [number, number, number] = [0, 0, 0];
  for (const [axis, w] of Object.entries(window)) {
    const i = slots.get(axis)! - 1;
    kernel[i] = w.kernel;
    stride[i] = w.stride;
    dilation[i] = w.dilation;
    pad[i] = w.padLow;
  }
  return { kernel, stride, dilation, pad };
}

/** Slots of a weight [kernel..., in, out]: kernels where their axes are, in and out to n and c, or to c and n. */
function weightSlots(weight: Shape, window: Windows, slots: Slots, swapped: boolean): Slots {
  const map = new Map<string, number>();
  Object.keys(window).forEach((axis, i) => {
    map.set(weight[i].name, slots.get(axis)!);
  });
  map.set(weight[weight.length - 2].name, swapped ? SLOT_C : SLOT_N);
  map.set(weight[weight.length - 1].name, swapped ? SLOT_N : SLOT_C);
  return map;
}

function contraction(op: 'conv' | 'conv_transpose'): CallRule {
  return {
    prologue: [0],
    epilogue: true,
    sources: true,
    refuses,
    build(site) {
      const { window } = attrsOf<'conv'>(site.anchor);
      const [x, weight] = site.anchor.inputs;
      const axes = Object.keys(window);
      const slots = imageSlots(x.shape, axes);
      const outSlots = imageSlots(site.anchor.outputs[0].shape, axes);
      return {
        op,
        window: windowThree(window, slots),
        sources: site.sources(0, slots),
        weight: {
          value: weight,
          box: site.reads(1),
          slots: weightSlots(weight.shape, window, slots, op === 'conv_transpose'),
        },
        out: site.out(outSlots),
        epilogue: site.epilogue(outSlots),
      };
    },
  };
}

const weightGrad: CallRule = {
  prologue: [0, 1],
  sources: true,
  refuses,
  build(site) {
    const { window } = attrsOf<'conv_weight_grad'>(site.anchor);
    const [x, y] = site.anchor.inputs;
    const [value] = site.anchor.outputs;
    const axes = Object.keys(window);
    const slots = imageSlots(x.shape, axes);
    const ySlots = imageSlots(y.shape, axes);
    return {
      op: 'conv_weight_grad',
      window: windowThree(window, slots),
      x: site.sources(0, slots),
      dy: site.source(1, ySlots),
      cell: cells(site, ySlots),
      into: { value, box: site.writes(), slots: weightSlots(value.shape, window, slots, false) },
    };
  },
};

/** Cells of float32 partial sums by slots d, h, w. */
function cells(site: Site, slots: Slots): Three {
  const result: [number, number, number] = [1, 1, 1];
  for (const { dim, split, cell = 1 } of site.anchor.op.loops(site.anchor.call)) {
    const slot = slots.get(dim) ?? SLOT_N;
    if (split === 'sum' && slot > SLOT_N) result[slot - 1] = cell;
  }
  return result;
}

/** What pooling and its gradients share: the window, and what is computed. */
function pooled(site: Site) {
  const { window } = attrsOf<'max_pool'>(site.anchor);
  const slots = imageSlots(site.anchor.outputs[0].shape, Object.keys(window));
  return { slots, window: windowThree(window, slots), out: site.out(slots), epilogue: site.epilogue(slots) };
}

const meanKind = (node: LocalNode): Exclude<PoolKind, 'max'> =>
  attrsOf<'avg_pool'>(node).countPadding ? 'mean' : 'meanInside';

function pool(kind: (node: LocalNode) => PoolKind): CallRule {
  return {
    prologue: [0],
    epilogue: true,
    refuses,
    build(site) {
      const { slots, ...rest } = pooled(site);
      return { op: 'pool', kind: kind(site.anchor), x: site.source(0, slots), ...rest };
    },
  };
}

const maxPoolGrad: CallRule = {
  prologue: [0, 1],
  epilogue: true,
  refuses,
  build(site) {
    const { slots, ...rest } = pooled(site);
    return { op: 'max_pool_grad', x: site.source(0, slots), dy: site.source(1, slots), ...rest };
  },
};

const avgPoolGrad: CallRule = {
  prologue: [0],
  epilogue: true,
  refuses,
  build(site) {
    const { slots, ...rest } = pooled(site);
    const { shape } = site.anchor.outputs[0];
    const global = five(shape, slots, (i) => shape[i].size, 1);
    return { op: 'avg_pool_grad', kind: meanKind(site.anchor), global, dy: site.source(0, slots), ...rest };
  },
};

function resize(op: 'resize' | 'resize_grad'): CallRule {
  return {
    prologue: [0],
    epilogue: true,
    refuses: (node) => refusesImage(node.call.inputs[0].shape, Object.keys(attrsOf<'resize'>(node).size)),
    build(site) {
      const { kind, size } = attrsOf<'resize'>(site.anchor);
      const slots = imageSlots(site.anchor.outputs[0].shape, Object.keys(size));
      return { op, kind, x: site.source(0, slots), out: site.out(slots), epilogue: site.epilogue(slots) };
    },
  };
}

export const windowCalls = {
  conv: contraction('conv'),
  conv_transpose: contraction('conv_transpose'),
  conv_weight_grad: weightGrad,
  max_pool: pool(() => 'max'),
  max_pool_grad: maxPoolGrad,
  avg_pool: pool(meanKind),
  avg_pool_grad: avgPoolGrad,
  resize: resize('resize'),
  resize_grad: resize('resize_grad'),
};
