import { dicomSegOf, labelsIn } from '../../src/app/dicom-seg.ts';
import { readGivenLabels } from '../../src/app/given-labels.ts';
import { headerOf, nameOf, niftiOf, openGiven, scanAmong, shownScan } from '../../src/app/given-scan.ts';
import { learnScan } from '../../src/app/learn.ts';
import { type Passes, segmentScan } from '../../src/app/segment.ts';
import { HalomeshError } from '../../src/core/index.ts';
import { spacingOf } from '../../src/imaging/volume/volume.ts';
import { wasmDevice } from '../../src/machine/wasm/index.ts';
import { encodeWebRun, readWebRun } from '../../src/train/record/web-run.ts';
import type { Asked, LearnRequest, Said, SegmentRequest } from './protocol.ts';

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
    case 'learn':
      return learn(asked);
    case 'dicom-seg': {
      const { files, run, nifti } = asked;
      const pieces = await dicomSegOf(scanAmong(files, run.channels), await labelsIn(nifti), run);
      return say({ kind: 'dicom-seg', pieces: pieces.map(owned) });
    }
    case 'end':
      return ending.abort();
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

/** Says when to learn no more. */
const ending = new AbortController();

async function learn({ files, truth, budget, module, threads, ...settings }: LearnRequest): Promise<void> {
  const source = await openGiven(scanAmong(files, ['image']), settings.prepare);
  const labels = await readGivenLabels(scanAmong(truth, ['label map']), source.geometry);
  const device = wasmDevice({ module, threads });
  const opened = await learnScan(source, labels, {
    ...{ ...settings, device, budget, levels: levelsFor(source.shape), signal: ending.signal },
    onStep: (step) => say({ ...step, bytes: step.bytes - device.held + device.moduleBytes }),
  });
  device.close();
  say({ kind: 'learned', opened, file: owned(encodeWebRun(opened)) });
}

/** Levels of a network for so many voxels: the lowest has at least 4 along each axis, and there are at most 4. */
const levelsFor = (shape: readonly number[]): number =>
  Math.max(1, Math.min(4, Math.floor(Math.log2(Math.min(...shape) / 4)) + 1));

/** Bytes that lie in memory of their own, which can be handed over. */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => bytes as Uint8Array<ArrayBuffer>;

function messageOf(error: unknown): string {
  if (error instanceof HalomeshError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
