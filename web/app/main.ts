import oneThread from '../../native/wasm/halomesh.wasm?url';
import manyThreads from '../../native/wasm/halomesh-threads.wasm?url';
import { byId, make, tell } from '../src/dom.ts';
import '../src/page.css';
import './app.css';
import type { OpenWebRun } from '../../src/train/record/web-run.ts';
import { droppedFiles, handOut, pathsOf } from './files.ts';
import { Learning } from './learning.ts';
import { LAYOUTS, Look } from './look.ts';
import type { Kernels, ScanFacts, SegmentResult } from './protocol.ts';
import { type Work, work } from './work.ts';

const GIB = 2 ** 30;
const BUDGETS = [0.5, 1, 1.5, 2, 3, 4];
/** Ends of windows in HU. */
const WINDOWS: Readonly<Record<string, readonly [number, number] | undefined>> = {
  'whole range': undefined,
  'soft tissue': [-160, 240],
  liver: [-45, 105],
  lung: [-1350, 150],
  bone: [-500, 1300],
  brain: [0, 80],
};

/** What was chosen, and what came of it. */
const chosen: {
  opened?: OpenWebRun;
  files?: ReadonlyMap<string, File>;
  facts?: ScanFacts;
  result?: SegmentResult;
} = {};
let going: Work | undefined;
/** Of one thread; and of several, where pages may share memory. */
let kernels: readonly WebAssembly.Module[];

const look = new Look(
  (text) => {
    byId('place').textContent = text;
  },
  () => {
    const { classes = [], classValues } = chosen.opened?.run ?? {};
    return new Map(classes.map((name, cls) => [classValues?.[cls] ?? cls, name]));
  },
);

/** A network that learns from the scan that was chosen, and is then the one that segments. */
const learning = new Learning({
  scan: () => chosen.files,
  kernels: kernelsChosen,
  onLearned(opened) {
    useRun(opened);
    ready();
  },
  failed: (error) => failed(error),
});

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const failed = (error: unknown): void => tell(error instanceof Error ? error.message : String(error), true);

async function start(): Promise<void> {
  // All that the page will ever ask for: afterwards nothing leaves or comes.
  kernels = await Promise.all((crossOriginIsolated ? [oneThread, manyThreads] : [oneThread]).map(compiled));
  input('threads').value = `${crossOriginIsolated ? Math.min(8, navigator.hardwareConcurrency) : 1}`;
  input('threads').disabled = !crossOriginIsolated;
  if (!crossOriginIsolated)
    byId('threads-note').textContent =
      'One thread: the server of this page does not isolate it from other origins.';
  await look.start(byId<HTMLCanvasElement>('canvas'));
  for (const size of BUDGETS)
    byId('budget').append(make('option', { value: size * GIB, selected: size === 2 }, `${size} GiB`));
  byId('controls').append(
    choice('view', Object.keys(LAYOUTS), (name) => look.setLayout(name as keyof typeof LAYOUTS)),
    choice('window', Object.keys(WINDOWS), (name) => look.setWindow(WINDOWS[name])),
    opacity(),
  );
  input('run').addEventListener('change', () => takeRun(input('run').files?.[0]).catch(failed));
  for (const id of ['files', 'folder'])
    input(id).addEventListener('change', () => takeScan(pathsOf(input(id).files ?? [])).catch(failed));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    if (event.dataTransfer !== null) droppedFiles(event.dataTransfer).then(takeDropped).catch(failed);
  });
  byId('start').addEventListener('click', () => segment().catch(failed));
  byId('stop').addEventListener('click', () => going?.stop());
  byId('save').addEventListener('click', () => save().catch(failed));
  byId('save-dicom').addEventListener('click', () => saveDicom().catch(failed));
  document.body.dataset.state = 'ready';
  tell('ready: nothing leaves this machine');
}

async function compiled(address: string): Promise<WebAssembly.Module> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the kernels cannot be loaded: ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

const input = (id: string): HTMLInputElement => byId<HTMLInputElement>(id);

function takeDropped(files: ReadonlyMap<string, File>): Promise<void> {
  const [first] = files.values();
  const isRun = files.size === 1 && first.name.endsWith('.safetensors');
  return isRun ? takeRun(first) : takeScan(files);
}

async function takeRun(file: File | undefined): Promise<void> {
  if (file === undefined) return;
  tell(`reading ${file.name}`);
  const said = await work({ kind: 'run', file }).done;
  if (said?.kind !== 'run') return;
  useRun(said.opened);
  if (chosen.files !== undefined) await takeScan(chosen.files);
  else ready();
}

/** Makes a run the one that segments. */
function useRun(opened: OpenWebRun): void {
  chosen.opened = opened;
  const { name, step, classes, channels, prepare, regions } = opened.run;
  const { spacing, size } = prepare;
  const grid =
    spacing !== undefined
      ? `voxels of ${[spacing].flat().join(' x ')} mm`
      : size !== undefined
        ? `${[size].flat().join(' x ')} voxels`
        : 'the voxels of the scan';
  byId('run-facts').textContent = [
    `${name}, ${step} steps`,
    (regions?.map((region) => region.name) ?? classes.slice(1)).join(', '),
    grid,
    ...(channels.length > 1 ? [`channels ${channels.join(', ')}`] : []),
  ].join(' · ');
  document.body.dataset.run = name;
  forget();
}

async function takeScan(files: ReadonlyMap<string, File>): Promise<void> {
  if (files.size === 0) return;
  chosen.files = files;
  chosen.facts = undefined;
  forget();
  delete document.body.dataset.scan;
  tell('reading the scan');
  const channels = chosen.opened?.run.channels ?? ['image'];
  const said = await work({ kind: 'scan', files, channels }).done;
  if (said?.kind !== 'scan') return;
  const { facts, nifti } = said;
  await look.showScan(nifti);
  look.setWindow(WINDOWS[byId<HTMLSelectElement>('window').value]);
  chosen.facts = facts;
  const { name, format, shape, spacing, notes } = facts;
  byId('scan-facts').textContent = [
    `${name}: ${format}`,
    `${shape.toReversed().join(' x ')} voxels of ${spacing
      .toReversed()
      .map((mm) => mm.toFixed(2))
      .join(' x ')} mm`,
    ...notes,
  ].join(' · ');
  document.body.dataset.scan = name;
  ready();
}

/** Takes away what came of another scan or run. */
function forget(): void {
  going?.stop();
  chosen.result = undefined;
  look.clear(1);
  byId('result').hidden = true;
  byId('progress-facts').textContent = '';
  delete document.body.dataset.segmented;
}

function ready(): void {
  const can = chosen.opened !== undefined && chosen.facts !== undefined;
  byId<HTMLButtonElement>('start').disabled = !can;
  learning.enable(chosen.facts !== undefined);
  tell(can ? 'ready to segment' : chosen.opened === undefined ? 'choose a trained network' : 'choose a scan');
}

/** What computes, as it was chosen. */
function kernelsChosen(): Kernels {
  const budget = Number(byId<HTMLSelectElement>('budget').value);
  const threads = Math.max(1, Math.min(64, Math.round(Number(input('threads').value)) || 1));
  return { budget, threads, module: kernels[threads > 1 ? 1 : 0] };
}

async function segment(): Promise<void> {
  const { opened, files } = chosen;
  if (opened === undefined || files === undefined || going !== undefined) return;
  forget();
  const [progress, facts] = [byId<HTMLProgressElement>('progress'), byId('progress-facts')];
  const { budget, ...others } = kernelsChosen();
  const running = (on: boolean): void => {
    byId<HTMLButtonElement>('start').disabled = on;
    byId('stop').hidden = !on;
    progress.hidden = !on;
  };
  running(true);
  progress.removeAttribute('value');
  tell('segmenting');
  let most = 0;
  going = work({ kind: 'segment', opened, files, budget, ...others }, (news) => {
    if (news.kind !== 'pass') return;
    const { done, all, bytes } = news;
    most = Math.max(most, bytes);
    progress.max = all;
    progress.value = done;
    facts.textContent = `${done} of ${all === 1 ? 'one pass' : `${all} blocks`} · memory ${mib(bytes)} of ${mib(budget)}`;
  });
  try {
    const said = await going.done;
    if (said?.kind !== 'segmented') return tell('stopped');
    const { result } = said;
    chosen.result = result;
    await look.showLabels(result.nifti, opened.run);
    const { seconds, passes } = result;
    facts.textContent = [
      `${(seconds.scan + seconds.network).toFixed(1)} s, ${seconds.network.toFixed(1)} s of them the network`,
      passes === 1 ? 'in one pass' : `in ${passes} blocks`,
      `memory ${mib(most)} of ${mib(budget)}`,
    ].join(' · ');
    showVolumes(result, opened);
    document.body.dataset.segmented = `${chosen.facts?.name}`;
    tell('segmented');
  } finally {
    going = undefined;
    running(false);
  }
}

function showVolumes({ found }: SegmentResult, { run }: OpenWebRun): void {
  const rows = found.map(({ name, voxels, millilitres }, n) => {
    const swatch = make('span', { class: 'swatch' });
    const cls = run.regions === undefined ? n + 1 : run.regions[n].written;
    swatch.style.background = run.colors[cls];
    return make(
      'tr',
      {},
      make('td', {}, swatch, name),
      make('td', {}, `${millilitres.toFixed(millilitres < 10 ? 2 : 1)} ml`),
      make('td', {}, `${voxels} voxels`),
    );
  });
  byId('volumes').replaceChildren(...rows);
  byId('save-dicom').hidden = chosen.facts?.format !== 'DICOM';
  byId('result').hidden = false;
}

/** Hands the label map out as NAME_segmentation.nii.gz. */
async function save(): Promise<void> {
  const { result, facts } = chosen;
  if (result === undefined || facts === undefined) return;
  const packed = new Blob([result.nifti]).stream().pipeThrough(new CompressionStream('gzip'));
  handOut(await new Response(packed).blob(), `${facts.name}_segmentation.nii.gz`);
}

/** Hands it out as a segmentation of DICOM that refers to the slices of the series. */
async function saveDicom(): Promise<void> {
  const { result, facts, files, opened } = chosen;
  if (result === undefined || facts === undefined || files === undefined || opened === undefined) return;
  const said = await work({ kind: 'dicom-seg', files, run: opened.run, nifti: result.nifti }).done;
  if (said?.kind === 'dicom-seg')
    handOut(new Blob([...said.pieces], { type: 'application/dicom' }), `${facts.name}_segmentation.dcm`);
}

function choice(name: string, values: readonly string[], take: (value: string) => void): Node {
  const select = make('select', { id: name, 'aria-label': name });
  for (const value of values) select.append(make('option', { value }, value));
  select.addEventListener('change', () => take(select.value));
  return make('label', {}, name, select);
}

function opacity(): Node {
  const slider = make('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 0.01,
    value: 0.5,
    'aria-label': 'opacity',
  });
  slider.addEventListener('input', () => look.setOpacity(Number(slider.value)));
  return make('label', {}, 'opacity', slider);
}

start().catch(failed);
