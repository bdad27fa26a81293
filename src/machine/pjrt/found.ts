import { fail } from '../../core/index.ts';
import type { Client } from './client.ts';
import { acquire, release } from './clients.ts';

// What a plug-in says of itself, asked once before plans are made: it may allow one client at a time, so none is made for this later.

interface Found {
  readonly note: string;
  readonly bytes: number | undefined;
}

/** By library: what was found, or why nothing was. */
const known = new Map<string, { readonly found: Found } | { readonly error: unknown }>();

/** Looks at the devices of a library. Never fails: what is wrong is raised by those who ask. */
export async function lookAt(library: string): Promise<void> {
  if (known.has(library)) return;
  try {
    const client = await acquire(library);
    try {
      known.set(library, { found: told(client) });
    } finally {
      release(library, client);
    }
  } catch (error) {
    known.set(library, { error });
  }
}

function told({ devices, note, plugin }: Client): Found {
  const kinds = [...new Set(devices.map(({ kind }) => kind))].join(', ');
  const bytes = devices.map((device) => device.bytes).filter((one) => one !== undefined);
  return {
    note: `${devices.length} x ${kinds} (${note}), PJRT C interface ${plugin.version}`,
    bytes: bytes.length === 0 ? undefined : Math.min(...bytes),
  };
}

function foundOf(library: string): Found {
  const looked =
    known.get(library) ?? fail({ where: `device pjrt:${library}`, problem: 'was not looked at before' });
  if ('error' in looked) throw looked.error;
  return looked.found;
}

/** Its devices and versions in words. */
export const pjrtNote = (library: string): string => foundOf(library).note;

/** Bytes of memory of one of its devices, the smallest; undefined where they are not told. */
export const pjrtBytes = (library: string): number | undefined => foundOf(library).bytes;
