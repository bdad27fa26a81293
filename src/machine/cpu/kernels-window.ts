import type { Shape } from '../../core/index.ts';
import type { Windows } from '../../ops/index.ts';
import type { LocalNode } from '../../plan/index.ts';
import { attrsOf } from './attrs.ts';
import type { CpuKernel } from './cpu-kernel.ts';
import type { ConvAlgorithm } from './exact-conv.ts';
import type { Launch } from './launch.ts';
import type { Address } from './library.ts';
import { boxView, five, type Slots, subView } from './storage.ts';
import type { WindowFive } from './structs.ts';

// Convolutions, pooling and resizing: everything that slides a window over d, h and w.

/**
 * Slots of an image: the channel to c, spatial axes to w, h, d from the right; a first dimension that no window slides over,
 * or a fourth one, to n. `channel` is the name that the kernel knows the last dimension by here.
 */
function imageSlots(shape: Shape, spatial: readonly string[]): Slots {
  const outer = shape.slice(0, -1);
  const slots = new Map<string, number>([[shape[shape.length - 1].name, 4]]);
  const batch = outer.length > 0 && (outer.length === 4 || !spatial.includes(outer[0].name)) ? 1 : 0;
  outer.forEach((dim, i) => {
    slots.set(dim.name, i < batch ? 0 : 4 - outer.length + i);
  });
  return slots;
}

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
const refusesWindow = (node: LocalNode): string | undefined =>
  refusesImage(node.call.inputs[0].shape, axesOf(node));

/** The window by slots d, h, w. */
function windowFive(window: Windows, slots: Slots): WindowFive {
  const kernel = [1, 1, 1];
  const stride = [1, 1, 1];
  const dilation = [1, 1, 1];
  const pad = [0, 0, 0];
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
  map.set(weight[weight.length - 2].name, swapped ? 4 : 0);
  map.set(weight[weight.length - 1].name, swapped ? 0 : 4);
  return map;
}

/** HM_CONV_ codes. */
const CONV_CODES = { auto: 0, direct: 1, winograd: 2 } satisfies Record<ConvAlgorithm, number>;

function contraction(entry: 'hm_conv' | 'hm_conv_transpose'): CpuKernel {
  const swapped = entry === 'hm_conv_transpose';
  return {
    prologue: [0],
    epilogue: true,
    sources: true,
    refuses: refusesWindow,
    prepare(launch) {
      const { before, list } = contractionArguments(launch, swapped);
      return () => {
        before();
        launch.library.call(entry, ...list);
      };
    },
    prepareInTwo(launch, ready) {
      const { before, list } = contractionArguments(launch, swapped);
      const [y] = launch.anchor.outputs;
      const slots = imageSlots(y.shape, axesOf(launch.anchor));
      // Loops of a contraction begin with the dimensions of its output.
      const { start, size } = boxView(y.shape, ready.slice(0, y.shape.length), slots);
      const begun = launch.args.longs([0]);
      const parts = [launch.args.longs(start.slice(1, 4)), launch.args.longs(size.slice(1, 4)), begun];
      return {
        first() {
          before();
          launch.library.call('hm_conv_begin', swapped ? 1 : 0, ...list, ...parts);
        },
        second: () => launch.library.call('hm_conv_end', begun),
      };
    },
  };
}

/** What hm_conv and hm_conv_transpose take, and what to run first. */
function contractionArguments(launch: Launch, swapped: boolean): { before: () => void; list: number[] } {
  const { window } = attrsOf<'conv'>(launch.anchor);
  const [x, w] = launch.anchor.inputs;
  const [y] = launch.anchor.outputs;
  const axes = Object.keys(window);
  const slots = imageSlots(x.shape, axes);
  const outSlots = imageSlots(y.shape, axes);
  const weight = launch.plain(
    launch.tensorOf(w),
    launch.reads(1),
    weightSlots(w.shape, window, slots, swapped),
  );
  const list: number[] = [
    launch.args.window(windowFive(window, slots)),
    ...launch.sources(0, slots),
    launch.args.viewAt(weight.view),
    launch.box(y.shape, launch.writes(), outSlots),
    launch.epilogue(outSlots),
    CONV_CODES[launch.conv],
  ];
  return { before: weight.before, list };
}

const weightGrad: CpuKernel = {
  prologue: [0, 1],
  sources: true,
  refuses: refusesWindow,
  prepare(launch) {
    const { window } = attrsOf<'conv_weight_grad'>(launch.anchor);
    const [x, y] = launch.anchor.inputs;
    const axes = Object.keys(window);
    const slots = imageSlots(x.shape, axes);
    const ySlots = imageSlots(y.shape, axes);
    // The kernel writes plain memory; a weight that lies in blocks gets a copy of it.
    const into = launch.plainOutput();
    const list = [
      launch.args.window(windowFive(window, slots)),
      ...launch.sources(0, slots),
      launch.source(1, ySlots),
      launch.box(y.shape, launch.reads(1), ySlots),
      launch.args.longs(cells(launch, ySlots)),
      launch.args.viewAt(
        subView(into.tensor, weightSlots(into.tensor.shape, window, slots, false), launch.writes()),
      ),
      CONV_CODES[launch.conv],
    ];
    return () => {
      launch.library.call('hm_conv_weight_grad', ...list);
      into.after();
    };
  },
};

/** Cells of float32 partial sums by slots d, h, w. */
function cells(launch: Launch, slots: Slots): number[] {
  const result = [1, 1, 1];
  for (const { dim, split, cell = 1 } of launch.anchor.op.loops(launch.anchor.call)) {
    const slot = slots.get(dim) ?? 0;
    if (split === 'sum' && slot > 0) result[slot - 1] = cell;
  }
  return result;
}

const maxPool: CpuKernel = pool(() => 0);
const avgPool: CpuKernel = pool((node) => (attrsOf<'avg_pool'>(node).countPadding ? 1 : 2));

function pool(kind: (node: LocalNode) => number): CpuKernel {
  return {
    prologue: [0],
    epilogue: true,
    refuses: refusesWindow,
    prepare(launch) {
      const { window } = attrsOf<'max_pool'>(launch.anchor);
      const { shape } = launch.anchor.outputs[0];
      const slots = imageSlots(shape, Object.keys(window));
      const list = [
        kind(launch.anchor),
        launch.args.window(windowFive(window, slots)),
        launch.source(0, slots),
        launch.box(shape, launch.writes(), slots),
        launch.epilogue(slots),
      ];
      return () => launch.library.call('hm_pool', ...list);
    },
  };
}

const maxPoolGrad: CpuKernel = {
  prologue: [0, 1],
  epilogue: true,
  refuses: refusesWindow,
  prepare(launch) {
    const { window } = attrsOf<'max_pool_grad'>(launch.anchor);
    const { shape } = launch.anchor.outputs[0];
    const slots = imageSlots(shape, Object.keys(window));
    const list = [
      launch.args.window(windowFive(window, slots)),
      launch.source(0, slots),
      launch.source(1, slots),
      launch.box(shape, launch.writes(), slots),
      launch.epilogue(slots),
    ];
    return () => launch.library.call('hm_max_pool_grad', ...list);
  },
};

const avgPoolGrad: CpuKernel = {
  prologue: [0],
  epilogue: true,
  refuses: refusesWindow,
  prepare(launch) {
    const { window, countPadding } = attrsOf<'avg_pool_grad'>(launch.anchor);
    const { shape } = launch.anchor.outputs[0];
    const slots = imageSlots(shape, Object.keys(window));
    const list = [
      countPadding ? 1 : 2,
      launch.args.window(windowFive(window, slots)),
      launch.args.longs(five(shape, slots, (i) => shape[i].size, 1)),
      launch.source(0, slots),
      launch.box(shape, launch.writes(), slots),
      launch.epilogue(slots),
    ];
    return () => launch.library.call('hm_avg_pool_grad', ...list);
  },
};

function resize(entry: 'hm_resize' | 'hm_resize_grad'): CpuKernel {
  return {
    prologue: [0],
    epilogue: true,
    refuses: (node) => refusesImage(node.call.inputs[0].shape, Object.keys(attrsOf<'resize'>(node).size)),
    prepare(launch) {
      const { kind, size } = attrsOf<'resize'>(launch.anchor);
      const { shape } = launch.anchor.outputs[0];
      const slots = imageSlots(shape, Object.keys(size));
      const list: (Address | number)[] = [
        kind === 'nearest' ? 0 : 1,
        launch.source(0, slots),
        launch.box(shape, launch.writes(), slots),
        launch.epilogue(slots),
      ];
      return () => launch.library.call(entry, ...list);
    },
  };
}

export const windowKernels = {
  conv: contraction('hm_conv'),
  conv_transpose: contraction('hm_conv_transpose'),
  conv_weight_grad: weightGrad,
  max_pool: maxPool,
  max_pool_grad: maxPoolGrad,
  avg_pool: avgPool,
  avg_pool_grad: avgPoolGrad,
  resize: resize('hm_resize'),
  resize_grad: resize('hm_resize_grad'),
};
