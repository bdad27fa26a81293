import { createHash } from 'node:crypto';
import path from 'node:path';
import { fail, shownValue } from '../../core/index.ts';
import { readText, systemErrorReason } from '../../files/index.ts';
import { alone, type Processes } from '../../machine/index.ts';
import type { NetworkFunction } from '../../nn/index.ts';
import { together } from '../../run/index.ts';
import { isNetworkName, type NetworkModule, type TrainConfig } from '../config/config.ts';
import type { RunFolder } from './run-folder.ts';

// Networks that modules give. A module is known by what is in it: its copy in the folder of a run is what the run is trained,
// resumed and used with, here and on other machines, so it stands for itself and imports nothing but Node's own.

/** A network whose function is there, and the text of its module. */
export interface LoadedNetwork {
  readonly config: TrainConfig;
  /** Of the module; undefined where the network is none. */
  readonly text?: string;
}

export interface LoadNetworkOptions {
  /** The run, whose copy is read where the config names no other file. */
  readonly folder: RunFolder;
  /** A network given in code, in place of what the config says. */
  readonly given?: NetworkFunction;
  readonly processes?: Processes;
}

/**
 * The config with the function of its network; all processes call it, and take the module that the first one reads. Throws
 * HalomeshError where the module cannot be loaded, is not that of the run, or where a network given in code is not there.
 */
export async function loadNetwork(
  config: TrainConfig,
  { folder, given, processes = alone(1) }: LoadNetworkOptions,
): Promise<LoadedNetwork> {
  const { network } = config;
  if (given !== undefined) {
    if (network !== undefined && (typeof network === 'string' || network.kind !== 'code'))
      fail({
        where: 'network',
        problem: 'expected nothing beside the network of the config, found a function',
        found: typeof network === 'string' ? network : network.kind,
      });
    return { config: { ...config, network: { kind: 'code', name: given.name || 'network', build: given } } };
  }
  if (typeof network === 'object' && network.kind === 'code' && network.build === undefined)
    fail({
      where: folder.config,
      problem: `the function of network ${shownValue(network.name)} is not there`,
      hint: 'It was given in code: call train or openRun with it as "network"',
    });
  // Other names are of networks that need no file.
  const asked = typeof network === 'string' && !isNetworkName(network) ? network : undefined;
  if (asked === undefined && (typeof network !== 'object' || network.kind !== 'module')) return { config };
  const file = asked ?? folder.network;
  const own = await together(processes, 'the network', () => (processes.index === 0 ? textOf(file) : ''));
  const [text] = await processes.share('module of the network', own);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const known = network as NetworkModule;
  if (asked === undefined && known.sha256 !== sha256)
    fail({
      where: file,
      problem: `is not the network that the run was trained with (${known.name})`,
      expected: `sha256 ${known.sha256}`,
      found: sha256,
      hint: 'Put the file back that the run began with',
    });
  const build = await together(processes, 'the network', () => functionOf(file, text));
  const name = asked === undefined ? known.name : path.basename(asked);
  return { config: { ...config, network: { kind: 'module', name, sha256, build } }, text };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readText(file);
  } catch (error) {
    return fail(
      { where: file, problem: `the module of the network cannot be read: ${systemErrorReason(error)}` },
      { cause: error },
    );
  }
}

/** The function that a module exports, loaded from its text alone. */
async function functionOf(file: string, text: string): Promise<NetworkFunction> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(
      /* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
    );
  } catch (error) {
    return fail(
      {
        where: file,
        problem: `cannot be loaded as a module: ${reasonOf(error)}`,
        hint: 'A copy of this file alone goes with the run, so it imports nothing but node: modules; layers come as the last argument of its function',
      },
      { cause: error },
    );
  }
  const found = module.default;
  if (typeof found === 'function') return found as NetworkFunction;
  return fail({
    where: file,
    problem: 'exports no network',
    expected: 'export default function network(ctx, image, classes, kit)',
    found:
      found === undefined
        ? `no default export (${Object.keys(module).join(', ') || 'no exports'})`
        : shownValue(found),
  });
}

/** An error of loading, without the address that holds the whole module. */
const reasonOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).replaceAll(
    /data:text\/javascript;base64,[\w+/=]*/g,
    'it',
  );
