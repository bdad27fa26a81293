import path from 'node:path';
import { Client } from './client.ts';
import { Plugin } from './plugin.ts';

// A plug-in is initialised once a process, and some allow one client a process: devices of one library share it.

interface Shared {
  readonly plugin: Plugin;
  initialised?: Promise<unknown>;
  client?: Promise<Client>;
  users: number;
}

const plugins = new Map<string, Shared>();

function sharedOf(file: string): Shared {
  const name = file.includes(path.sep) ? path.resolve(file) : file;
  const known = plugins.get(name) ?? { plugin: Plugin.load(file), users: 0 };
  plugins.set(name, known);
  return known;
}

/** The plug-in of a library, opened and checked; raises in words why it is none. */
export const pluginOf = (file: string): Plugin => sharedOf(file).plugin;

/** The client of a library; every one that is had must be released. */
export async function acquire(file: string): Promise<Client> {
  const shared = sharedOf(file);
  const { plugin } = shared;
  shared.users++;
  try {
    shared.initialised ??= plugin.ask('PJRT_Plugin_Initialize', {});
    await shared.initialised;
    shared.client ??= plugin.ask('PJRT_Client_Create', {}).then(({ client }) => new Client(plugin, client));
    return await shared.client;
  } catch (error) {
    shared.users--;
    shared.client = undefined;
    throw error;
  }
}

/** Gives a client back; the last one ends it. */
export function release(file: string, client: Client): void {
  const shared = sharedOf(file);
  if (--shared.users > 0) return;
  shared.client = undefined;
  client.destroy();
}
