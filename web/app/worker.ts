import { headerOf, nameOf, niftiOf, openGiven, scanAmong, shownScan } from '../../src/app/given-scan.ts';
import { type Passes, segmentScan } from '../../src/app/segment.ts';
import { HalomeshError } from '../../src/core/index.ts';
import { readWebRun } from '../../src/exchange/web/web-run.ts';
import { spacingOf } from '../../src/imaging/volume/volume.ts';
import { wasmDevice } from '../../src/machine/wasm/index.ts';
import type { Asked, Said, SegmentRequest } from './protocol.ts';

// Reads and segments away from the page's own thread. It is ended with its work, so that its memory is given back.

const say = (said: Said, ...transfer: Transferable[]): void => self.postMessage(said, { transfer });

self.onmessage = ({ data }: MessageEvent<Asked>): void => {
  answer(data).catch((error: unknown) => say({ kind: 'error', message: messageOf(error) }));
};

async function answer(asked: Asked): Promise<void> {
  switch (asked.kind) {
    case 'run': {
      const bytes = new Uint8Array(await asked.file.arrayBuffer());
      return say({ kind: 'run', opened: readWebRun(bytes, asked.file.name) });
    }
    case 'scan': {
      const scan = scanAmong(asked.files, asked.channels);
      const header = await headerOf(scan);
      const nifti = owned(await shownScan(scan));
      const { format, shape, said: notes } = header;
      const facts = { name: nameOf(scan), format, shape, spacing: spacingOf(header), notes };
      return say({ kind: 'scan', facts, nifti }, nifti.buffer);
    }
    case 'segment':
      return segment(asked);
    default:
      return asked satisfies never;
  }
}

async function segment({ opened, files, budget, module, threads }: SegmentRequest): Promise<void> {
  const { run } = opened;
  const start = performance.now();
  const source = await openGiven(scanAmong(files, run.channels), run.prepare);
  const read = performance.now();
  const device = wasmDevice({ module, conv: run.exactConv, threads });
  // What the module has once taken it keeps.
  const onPass = ({ bytes, ...pass }: Passes) =>
    say({ kind: 'pass', ...pass, bytes: bytes - device.held + device.moduleBytes });
  const { labels, found, passes } = await segmentScan(opened, source, { device, budget, onPass });
  const seconds = { scan: (read - start) / 1000, network: (performance.now() - read) / 1000 };
  const { moduleBytes } = device;
  device.close();
  const nifti = owned(niftiOf(labels, labels.data));
  say({ kind: 'segmented', result: { nifti, found, passes, seconds, moduleBytes } }, nifti.buffer);
}

/** Bytes that lie in memory of their own, which can be handed over. */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => bytes as Uint8Array<ArrayBuffer>;

function messageOf(error: unknown): string {
  if (error instanceof HalomeshError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
