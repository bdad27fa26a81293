import type { Node, Value, Window } from '../../../core/index.ts';
import type { AvgPoolAttrs, ConvAttrs, ConvTransposeAttrs } from '../../../ops/index.ts';
import { permuted } from '../../weights/weights.ts';
import { refuse, type Site, sizesOf, type Tensor } from './site.ts';
import { type Each, isFixed, type Sizes } from './traced.ts';

// Convolutions and pools of a graph. In ONNX windows slide over all axes after batch and channels; an axis that a layer here leaves
// out has windows of 1 there.

const ONE: Window = { kernel: 1, stride: 1, dilation: 1, padLow: 0, padHigh: 0 };

/** An image's axes, and for each the windows for every size. */
interface Slide {
  readonly axes: readonly string[];
  readonly windows: readonly Each<Window>[];
}

function slideOf(site: Site, nodes: Each<Node>, x: Tensor): Slide {
  const [{ call, outputs }] = nodes;
  const channel = x.dims[1];
  const axes = x.dims.slice(2);
  if (
    axes.length === 0 ||
    x.type !== 'float' ||
    outputs[0].shape.length !== x.dims.length ||
    site.space.includes(channel)
  )
    refuse(call.where, 'windows over what is no float32 image cannot be exported as ONNX');
  const windows = axes.map((axis) => nodes.map((node) => (node.call.attrs as ConvAttrs).window[axis] ?? ONE));
  for (const each of windows)
    for (const key of ['kernel', 'stride', 'dilation', 'padLow'] as const)
      if (!isFixed(each.map((window) => window[key])))
        refuse(call.where, 'windows that depend on the size of the image cannot be exported as ONNX');
  return { axes, windows };
}

const reach = ({ kernel, dilation }: Window): number => dilation * (kernel - 1) + 1;

/** How much to add after the end so that windows give the sizes of the output, whatever the size of the input. */
function padHigh(where: string, windows: Each<Window>, from: Sizes, to: Sizes): number {
  const most = Math.max(...windows.map((window) => window.padHigh), windows[0].stride - 1);
  for (let high = 0; high <= most; high++)
    if (windows.every((w, n) => Math.floor((from[n] + w.padLow + high - reach(w)) / w.stride) + 1 === to[n]))
      return high;
  return refuse(where, 'margins that depend on the size of the image cannot be exported as ONNX');
}

/** Windows as attributes of an operator that goes from a higher resolution to a lower one. */
function attributesDown(nodes: Each<Node>, { axes, windows }: Slide) {
  const [{ call }] = nodes;
  const [from, to] = [nodes.map((node) => node.inputs[0]), nodes.map((node) => node.outputs[0])];
  const high = axes.map((axis, n) => padHigh(call.where, windows[n], sizesOf(from, axis), sizesOf(to, axis)));
  return {
    kernel_shape: windows.map(([w]) => w.kernel),
    strides: windows.map(([w]) => w.stride),
    dilations: windows.map(([w]) => w.dilation),
    pads: [...windows.map(([w]) => w.padLow), ...high],
  };
}

/** A weight, [kernel..., in, out], as ONNX has it: [out, in, kernel...] with a kernel of 1 along axes that it leaves out. */
function weightOf(
  site: Site,
  values: Each<Value>,
  windowed: readonly string[],
  axes: readonly string[],
): string {
  const [{ node, shape }] = values;
  const kernels = shape.slice(0, -2);
  const at = axes.filter((axis) => windowed.includes(axis)).map((axis) => windowed.indexOf(axis));
  const order = [kernels.length + 1, kernels.length, ...at];
  const sizes = [
    ...order.slice(0, 2).map((n) => shape[n].size),
    ...axes.map((axis) => (windowed.includes(axis) ? kernels[windowed.indexOf(axis)].size : 1)),
  ];
  const weight = node.op.role === 'variable' ? site.weightOf(node) : undefined;
  if (weight !== undefined)
    return site.model.floats(
      site.name(node.name, 'weight'),
      sizes,
      permuted(weight.data, weight.shape, order),
    );
  const tensor = site.read(values);
  const turned = site.ordered(
    tensor,
    order.map((n) => shape[n].name),
  );
  return site.node('Reshape', tensor.name, [turned.name, site.wholes(sizes)]);
}

export function writeConv(site: Site, nodes: Each<Node>): string {
  const [{ name, call, inputs }] = nodes;
  const x = site.read(nodes.map((node) => node.inputs[0]));
  const slide = slideOf(site, nodes, x);
  const { window } = call.attrs as ConvAttrs;
  const weight = weightOf(
    site,
    nodes.map((node) => node.inputs[1]),
    Object.keys(window),
    slide.axes,
  );
  return site.node('Conv', name || inputs[1].node.name, [x.name, weight], attributesDown(nodes, slide));
}

export function writeConvTranspose(site: Site, nodes: Each<Node>): string {
  const [{ name, call }] = nodes;
  const x = site.read(nodes.map((node) => node.inputs[0]));
  const slide = slideOf(site, nodes, x);
  const { axes, windows } = slide;
  const { window } = call.attrs as ConvTransposeAttrs;
  const weight = weightOf(
    site,
    nodes.map((node) => node.inputs[1]),
    Object.keys(window),
    axes,
  );
  const [from, to] = [nodes.map((node) => node.inputs[0]), nodes.map((node) => node.outputs[0])];
  const shared = {
    kernel_shape: windows.map(([w]) => w.kernel),
    strides: windows.map(([w]) => w.stride),
    dilations: windows.map(([w]) => w.dilation),
  };
  // Voxels after the output's end, of a transposed convolution without margins.
  const beyond = axes.map((axis, n) => {
    const [before, after] = [sizesOf(from, axis), sizesOf(to, axis)];
    return windows[n].map((w, k) => (before[k] - 1) * w.stride + reach(w) - w.padLow - after[k]);
  });
  const low = windows.map(([w]) => w.padLow);
  if (beyond.every((each, n) => isFixed(each) && each[0] > -windows[n][0].stride))
    return site.node('ConvTranspose', name, [x.name, weight], {
      ...shared,
      pads: [...low, ...beyond.map(([n]) => Math.max(0, n))],
      output_padding: beyond.map(([n]) => Math.max(0, -n)),
    });
  // As much as there can be; then the part that is asked for.
  const whole = site.node('ConvTranspose', name, [x.name, weight], {
    ...shared,
    output_padding: windows.map(([w]) => w.stride - 1),
  });
  const sizes = site.shape(
    call.where,
    axes.map((axis) => sizesOf(to, axis)),
  );
  const ends = low.some((n) => n > 0) ? site.node('Add', name, [sizes, site.wholes(low)]) : sizes;
  return site.node('Slice', name, [whole, site.wholes(low), ends, site.wholes(axes.map((_, n) => n + 2))]);
}

export function writePool(site: Site, nodes: Each<Node>): string {
  const [{ name, op, call }] = nodes;
  const x = site.read(nodes.map((node) => node.inputs[0]));
  const slide = slideOf(site, nodes, x);
  const { dilations, ...attributes } = attributesDown(nodes, slide);
  const { kernel_shape, pads } = attributes;
  if (pads.some((pad, n) => pad >= kernel_shape[n % kernel_shape.length] && pad > 0))
    refuse(call.where, 'a pool with margins as wide as its windows cannot be exported as ONNX');
  if (op.name === 'max_pool') return site.node('MaxPool', name, [x.name], { ...attributes, dilations });
  if (dilations.some((dilation) => dilation > 1))
    refuse(call.where, 'a mean over windows with holes cannot be exported as ONNX');
  const { countPadding } = call.attrs as AvgPoolAttrs;
  return site.node('AveragePool', name, [x.name], { ...attributes, count_include_pad: Number(countPadding) });
}
