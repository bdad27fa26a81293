import { fail } from '../../core/index.ts';
import { type Network, type NetworkFunction, networkConfig } from '../../nn/index.ts';
import { configOfRun, loadNetwork, networkOf, openSafetensors, type TrainConfig } from '../../train/index.ts';
import { checkpointOf } from '../../train/predict/open-run.ts';
import { plainName, weightsOf } from './weights.ts';

/** A trained network with its numbers. */
export interface RunWeights {
  readonly config: TrainConfig;
  readonly classes: readonly string[];
  readonly network: Network;
  /** Steps that it was trained for. */
  readonly step: number;
  /** Numbers by path; those of running averages where predictions take these. */
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

export interface RunWeightsOptions {
  /** Folder of the run. */
  readonly run: string;
  /** `best` by default, where the run has one. */
  readonly checkpoint?: 'best' | 'latest';
  /** The network of a run that was given one in code. */
  readonly network?: NetworkFunction;
}

/** Reads what prediction reads of a run. Throws HalomeshError where its checkpoint does not fit its config, or is damaged. */
export async function readRunWeights({
  run,
  checkpoint,
  network: given,
}: RunWeightsOptions): Promise<RunWeights> {
  const { folder, config: saved } = await configOfRun({ run });
  const { config } = await loadNetwork(saved, { folder, given });
  const { classes } = config;
  if (classes === undefined)
    return fail({
      where: `${folder.config} "classes"`,
      problem: 'expected the names of the classes, found nothing',
    });
  const { file } = await checkpointOf(folder, checkpoint);
  const opened = await openSafetensors(file);
  try {
    const weights = new Map<string, { shape: readonly number[]; data: Float32Array }>();
    for (const { name, shape } of weightsOf(config, classes.length)) {
      const found = opened.tensors.get(name)?.shape;
      if (found?.join() !== shape.join())
        fail({
          where: file,
          problem: `tensor "${name}"`,
          expected: `shape [${shape.join(', ')}]`,
          found: found === undefined ? 'no such tensor' : `[${found.join(', ')}]`,
          hint: 'Is the network that of the config it was trained with?',
        });
      weights.set(plainName(name), { shape, data: Float32Array.from(await opened.read(name)) });
    }
    const network = networkConfig(networkOf(config, classes.length));
    return {
      config,
      classes,
      network,
      step: Number(opened.metadata.step),
      weights,
    };
  } finally {
    await opened.close();
  }
}
