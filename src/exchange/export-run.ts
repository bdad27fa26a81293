import { fail, HalomeshError } from '../core/index.ts';
import { checkOutputs, type Message, writeAll, writeAtomically } from '../files/index.ts';
import { paperWindow } from '../imaging/index.ts';
import {
  buildScores,
  type ClassifierSettings,
  type CustomNetwork,
  isClassifier,
  isCustom,
} from '../nn/index.ts';
import {
  channelCount,
  filesOfRun,
  imageShape,
  placeOfRun,
  prepareOptions,
  scoreCount,
  shapeOfSize,
  type TrainConfig,
  writeSafetensors,
} from '../train/index.ts';
import { type Traced, traced } from './onnx/graph/traced.ts';
import { addGraph } from './onnx/graph/write-graph.ts';
import { OnnxModel, type Size } from './onnx/onnx-model.ts';
import { addNetwork, sizesOf } from './onnx/onnx-network.ts';
import { runForWeb, writeWebRun } from './web/export-web.ts';
import { type RunWeights, type RunWeightsOptions, readRunWeights } from './weights/run-weights.ts';
import { permuted, torchKey, torchOrder, torchShape } from './weights/weights.ts';

export interface ExportOptions extends RunWeightsOptions {
  /** ONNX file to write. */
  readonly onnx?: string;
  /** Safetensors file to write, with PyTorch's names and layout of the weights. */
  readonly safetensors?: string;
  /** File to write for pages, with all that they need to segment scans. */
  readonly web?: string;
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
  const { onnx, safetensors, web, overwrite } = options;
  const written = [onnx, safetensors, web].filter((file) => file !== undefined);
  if (written.length === 0)
    throw new HalomeshError({
      where: 'export',
      problem: 'expected an ONNX file, a safetensors file or one for pages to write, found none',
    });
  const run = await readRunWeights(options);
  if (web !== undefined && isClassifier(run.network))
    fail({
      where: options.run,
      problem: 'pages segment scans',
      expected: 'a run that tells voxels apart',
      found: 'task classify',
      hint: 'Export it as ONNX, which onnxruntime-web runs in pages',
    });
  const forWeb = web === undefined ? undefined : await runForWeb(options, web);
  checkOutputs({ reads: filesOfRun(placeOfRun(options.run)), writes: written, overwrite });
  if (onnx !== undefined) {
    const content = onnxOf(onnx, run);
    await writeAtomically(onnx, async (handle) => {
      for (const piece of content.chunks()) await writeAll(handle, piece);
    });
  }
  if (safetensors !== undefined) await writeTorchWeights(safetensors, run);
  if (web !== undefined && forWeb !== undefined) await writeWebRun(web, forWeb);
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
    ...(size !== undefined && { size_voxels: JSON.stringify(shapeOfSize(config, size)) }),
    normalisation: JSON.stringify(normalizations ?? { kind: 'window', unit: 'HU', ...window }),
    ...(channels && { channel_names: JSON.stringify(channels) }),
    orientation: 'RAS+: depth to the head, height to the front, width to the right',
    ...(slices !== undefined && {
      channels: `${slices} adjacent slices along depth, the one to segment in the middle`,
    }),
    ...(config.task === 'classify' && { task: 'classify: scores of the image as a whole' }),
    ...(config.ignoreGlass && {
      glass:
        'background: pixels whose optical density, -ln(value / 255), is below 0.15 in all three channels',
    }),
    steps: String(step),
  };
}

/** Adds a network on an image of any size; the name of the scores, and their sizes. */
function addScores(model: OnnxModel, { network, classes, weights, config }: RunWeights): [string, Size[]] {
  const channels = config.slices ?? channelCount(config);
  const count = scoreCount(config, classes.length);
  if (isCustom(network) || isClassifier(network)) {
    const sizes = (n: number): Size[] => ['batch', n, 'depth', 'height', 'width'];
    model.input('image', sizes(channels));
    const scores = addGraph(model, weights, tracedNetwork(config, network));
    return [scores, isClassifier(network) ? ['batch', count] : sizes(count)];
  }
  const image = model.input('image', sizesOf(network, channels));
  return [addNetwork(model, network, weights, image), sizesOf(network, count)];
}

/** A network as the operations that it makes. */
function tracedNetwork(config: TrainConfig, network: CustomNetwork | ClassifierSettings): Traced {
  return traced(isCustom(network) ? `network ${network.name}` : 'classifier', (batch, size) => {
    const image = imageShape(config, size, batch);
    const { graph } = buildScores({ image, network, averaged: config.ema !== undefined });
    return { graph, space: image.slice(1, -1).map(({ name }) => name), scores: graph.outputs.get('scores')! };
  });
}

/** The network as a model, told whole before anything is written. */
function onnxOf(file: string, run: RunWeights): Message {
  const { config } = run;
  const model = new OnnxModel();
  const [scores, sizes] = addScores(model, run);
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
  return content;
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
