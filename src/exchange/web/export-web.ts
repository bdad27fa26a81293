import path from 'node:path';
import { fail } from '../../core/index.ts';
import { isCustom, networkConfig } from '../../nn/index.ts';
import { CLASS_HEX } from '../../train/config/class-colors.ts';
import {
  channelNamesOf,
  configOfRun,
  loadNetwork,
  networkOf,
  openSafetensors,
  prepareOptions,
  type TensorEntry,
  writeSafetensors,
} from '../../train/index.ts';
import { checkpointOf } from '../../train/predict/open-run.ts';
import { type WebRun, webTexts } from '../../train/record/web-run.ts';
import type { RunWeightsOptions } from '../weights/run-weights.ts';
import { weightsOf } from '../weights/weights.ts';

/** What a page needs of a run, and where its weights are. */
export interface RunForWeb {
  readonly run: WebRun;
  readonly checkpoint: string;
  /** Of its weights, with shapes. */
  readonly weights: ReturnType<typeof weightsOf>;
}

/** Reads what a run says of itself. Throws HalomeshError for one that pages cannot use. `file`: what is to be written, for errors. */
export async function runForWeb(options: RunWeightsOptions, file: string): Promise<RunForWeb> {
  const { folder, config: saved } = await configOfRun({ run: options.run });
  const { config } = await loadNetwork(saved, { folder });
  const { classes, regions, classValues, precision, seed, slices, exactConv = 'auto' } = config;
  if (classes === undefined)
    return fail({
      where: `${folder.config} "classes"`,
      problem: 'expected the names of the classes, found nothing',
    });
  if (config.nnunet !== undefined)
    return fail({
      where: file,
      problem: 'a run that was imported from nnU-Net segments by patches, which pages do not',
      hint: 'Export it as ONNX with --onnx',
    });
  if (config.ignoreGlass)
    return fail({
      where: file,
      problem: 'a run that leaves out glass finds it by its colours, which pages do not',
      hint: 'Export it as ONNX with --onnx',
    });
  const network = networkConfig(networkOf(config, classes.length));
  if (isCustom(network))
    return fail({
      where: file,
      problem: `network ${network.name} is a function`,
      expected: "one of halomesh's own networks",
      hint: 'Export it with --onnx',
    });
  const { file: checkpoint } = await checkpointOf(folder, options.checkpoint);
  const opened = await openSafetensors(checkpoint);
  const step = Number(opened.metadata.step);
  await opened.close();
  const { spacing, size, plane, window, normalizations } = prepareOptions(config);
  return {
    run: {
      name: path.basename(path.resolve(options.run)),
      ...{ step, network, precision, seed, exactConv },
      averaged: config.ema !== undefined,
      ...(slices !== undefined && { slices }),
      prepare: {
        ...(spacing !== undefined && { spacing }),
        ...(size !== undefined && { size }),
        ...(plane && { plane }),
        ...(window && { window }),
        ...(normalizations && { normalizations }),
      },
      channels: channelNamesOf(config),
      classes,
      colors: classes.map((_, n) => CLASS_HEX[(Math.max(n, 1) - 1) % CLASS_HEX.length][1]),
      ...(classValues && { classValues }),
      ...(regions && { regions }),
    },
    checkpoint,
    weights: weightsOf(config, classes.length),
  };
}

/** Writes the file of a run for pages. */
export async function writeWebRun(file: string, { run, checkpoint, weights }: RunForWeb): Promise<void> {
  const opened = await openSafetensors(checkpoint);
  try {
    const tensors = weights.map(({ name, shape }): TensorEntry => {
      const found = opened.tensors.get(name);
      if (found?.shape.join() !== shape.join())
        fail({
          where: checkpoint,
          problem: `tensor "${name}"`,
          expected: `shape [${shape.join(', ')}]`,
          found: found === undefined ? 'no such tensor' : `[${found.shape.join(', ')}]`,
          hint: 'Is the network that of the config it was trained with?',
        });
      const dtype = found?.dtype === 'F64' ? 'F64' : 'F32';
      return { name, dtype, shape, data: () => opened.read(name) };
    });
    await writeSafetensors(file, tensors, webTexts(run));
  } finally {
    await opened.close();
  }
}
