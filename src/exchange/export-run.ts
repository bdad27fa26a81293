import { fail, HalomeshError } from '../core/index.ts';
import { checkOutputs, writeAll, writeAtomically } from '../files/index.ts';
import { paperWindow } from '../imaging/index.ts';
import { isCustom, type Network } from '../nn/index.ts';
import { channelCount, prepareOptions, scoreCount, writeSafetensors } from '../train/index.ts';
import { OnnxModel } from './onnx/onnx-model.ts';
import { addNetwork, type StatedNetwork, sizesOf } from './onnx/onnx-network.ts';
import { type RunWeights, type RunWeightsOptions, readRunWeights } from './weights/run-weights.ts';
import { permuted, torchKey, torchOrder, torchShape } from './weights/weights.ts';

export interface ExportOptions extends RunWeightsOptions {
  /** ONNX file to write. */
  readonly onnx?: string;
  /** Safetensors file to write, with PyTorch's names and layout of the weights. */
  readonly safetensors?: string;
  /** Whether files that are there are replaced. */
  readonly overwrite?: boolean;
}

export interface ExportResult extends Omit<RunWeights, 'weights'> {
  /** Files that were written. */
  readonly written: readonly string[];
  /** How many numbers the network has. */
  readonly weights: number;
}

/** Messages of the format are shorter than this. */
const MOST_ONNX = 2 ** 31 - 1;

/** Writes the network of a run for other programs. Throws HalomeshError. */
export async function exportRun(options: ExportOptions): Promise<ExportResult> {
  const { onnx, safetensors, overwrite } = options;
  const written = [onnx, safetensors].filter((file) => file !== undefined);
  if (written.length === 0)
    throw new HalomeshError({
      where: 'export',
      problem: 'expected an ONNX or a safetensors file to write, found neither',
    });
  const run = await readRunWeights(options);
  if (onnx !== undefined) checkOnnx(onnx, run.network);
  checkOutputs({ reads: run.files, writes: written, overwrite });
  if (onnx !== undefined) await writeOnnx(onnx, run);
  if (safetensors !== undefined) await writeTorchWeights(safetensors, run);
  const weights = [...run.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  return { ...run, written, weights };
}

/** What a program must know to use the network, as texts. */
export function describeRun({ config, classes, step }: RunWeights): Record<string, string> {
  const { spacing, size, window = paperWindow, slices, channels, regions } = config;
  const normalizations = prepareOptions(config).normalizations;
  const mm = typeof spacing === 'number' ? [spacing, spacing, spacing] : spacing;
  return {
    classes: JSON.stringify(classes),
    ...(regions && { regions: JSON.stringify(regions) }),
    ...(mm && { spacing_mm: JSON.stringify(mm) }),
    ...(size !== undefined && { size_voxels: JSON.stringify([size, size, size]) }),
    normalisation: JSON.stringify(normalizations ?? { kind: 'window', unit: 'HU', ...window }),
    ...(channels && { channel_names: JSON.stringify(channels) }),
    orientation: 'RAS+: depth to the head, height to the front, width to the right',
    ...(slices !== undefined && {
      channels: `${slices} adjacent slices along depth, the one to segment in the middle`,
    }),
    steps: String(step),
  };
}

/** Refuses a network that is known as a function alone, whose layers ONNX would have to be told one by one. */
function checkOnnx(file: string, network: Network): asserts network is StatedNetwork {
  if (!isCustom(network)) return;
  fail({
    where: file,
    problem: `network ${network.name} is a function`,
    expected: "one of halomesh's own networks",
    hint: 'Export its weights as .safetensors',
  });
}

async function writeOnnx(file: string, run: RunWeights): Promise<void> {
  const { network, classes, weights, config } = run;
  checkOnnx(file, network);
  const model = new OnnxModel();
  const image = model.input('image', sizesOf(network, config.slices ?? channelCount(config)));
  const scores = addNetwork(model, network, weights, image);
  const sizes = sizesOf(network, scoreCount(config, classes.length));
  model.output(model.node('Identity', 'scores', [scores]), sizes);
  const probabilities = config.regions
    ? model.node('Sigmoid', 'probabilities', [scores])
    : model.node('Softmax', 'probabilities', [scores], { axis: 1 });
  model.output(probabilities, sizes);
  const content = model.finish('halomesh', describeRun(run));
  if (content.length > MOST_ONNX)
    fail({
      where: file,
      problem: 'the network is too large for one ONNX file',
      expected: `at most ${MOST_ONNX} bytes`,
      found: `${content.length}`,
      hint: 'Export it as .safetensors',
    });
  await writeAtomically(file, async (handle) => {
    for (const piece of content.chunks()) await writeAll(handle, piece);
  });
}

async function writeTorchWeights(file: string, run: RunWeights): Promise<void> {
  const { config, weights } = run;
  const tensors = [...weights].map(([name, { shape, data }]) => ({
    name: torchKey(name, config),
    dtype: 'F32' as const,
    shape: torchShape(shape),
    data: () => permuted(data, shape, torchOrder(shape.length)),
  }));
  await writeSafetensors(file, tensors, describeRun(run));
}
