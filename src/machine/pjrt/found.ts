import { clientNow, pluginOf } from './clients.ts';

// What a plug-in says of itself, before a device is opened.

interface Found {
  readonly note: string;
  readonly bytes: number | undefined;
}

const known = new Map<string, Found>();

/** Looks once a process; raises in words what keeps it from being used. */
function look(library: string): Found {
  const before = known.get(library);
  if (before !== undefined) return before;
  const plugin = pluginOf(library);
  const client = clientNow(library);
  try {
    const { devices, note } = client;
    const kinds = [...new Set(devices.map(({ kind }) => kind))].join(', ');
    const bytes = devices.map((device) => device.bytes).filter((one) => one !== undefined);
    const found = {
      note: `${devices.length} x ${kinds} (${note}), PJRT C interface ${plugin.version}`,
      bytes: bytes.length === 0 ? undefined : Math.min(...bytes),
    };
    known.set(library, found);
    return found;
  } finally {
    client.destroy();
  }
}

/** Its devices and versions in words. */
export const pjrtNote = (library: string): string => look(library).note;

/** Bytes of memory of one of its devices, the smallest; undefined where they are not told. */
export const pjrtBytes = (library: string): number | undefined => look(library).bytes;
