import './page.css';
import type { ShownCase, ShownFile, ViewData } from '../../src/view/protocol.ts';
import { byWorst, showCases } from './cases.ts';
import { Controls } from './controls.ts';
import { saved, viewData } from './data.ts';
import { byId, make, tell } from './dom.ts';
import { showLesions } from './lesions.ts';
import { lengthText } from './slides/scale-bar.ts';
import { type SlidePlace, SlideViewer } from './slides/slide-viewer.ts';
import { showTraining } from './training.ts';
import { type Layer, type Place, Viewer } from './viewer.ts';

async function start(): Promise<void> {
  const data = await viewData();
  document.title = `${data.title}, halomesh`;
  byId('title').textContent = data.title;
  const runs = saved ? [] : data.sources.flatMap(({ run }, source) => (run ? [source] : []));
  const tabs: readonly [string, () => void][] = [
    ['scans', () => showRoom('scans')],
    ...runs.map((source): [string, () => void] => [
      `training of ${data.sources[source].name}`,
      () => {
        showRoom('training');
        showTraining(source, data);
      },
    ]),
  ];
  if (tabs.length > 1) showTabs(tabs);
  await showScans(data);
}

function showRoom(name: 'scans' | 'training'): void {
  byId('scans').hidden = name !== 'scans';
  byId('training').hidden = name !== 'training';
}

function showTabs(tabs: readonly [string, () => void][]): void {
  const buttons = tabs.map(([name, open], n) => {
    const button = make('button', { type: 'button', 'aria-pressed': `${n === 0}` }, name);
    button.addEventListener('click', () => {
      for (const other of buttons) other.setAttribute('aria-pressed', `${other === button}`);
      open();
    });
    return button;
  });
  byId('tabs').replaceChildren(...buttons);
}

async function showScans(data: ViewData): Promise<void> {
  let place: Place | undefined;
  let layers: readonly Layer[] = [];
  const viewer = new Viewer(byId<HTMLCanvasElement>('canvas'), (found) => {
    place = found;
    byId('place').textContent = placeText(place, layers, data.classes);
  });
  const slides = new SlideViewer((found) => {
    byId('place').textContent = slideText(found, layers, data.classes);
  });
  // The table is there before the GPU is made ready, which slides do not need.
  let started: Promise<void> | undefined;
  const start = (): Promise<void> => {
    started ??= new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))).then(() =>
      viewer.start(),
    );
    return started;
  };
  let shown: ShownCase | undefined;
  const controls = new Controls(viewer, data, (channel) => {
    showChannel(channel).catch((error: Error) => tell(error.message, true));
  });
  const showChannel = async (channel: number): Promise<void> => {
    const image = shown?.images[channel];
    if (image === undefined) return tell(`${shown?.id} has no channel ${channel}`, true);
    if (!(await viewer.showChannel(image))) return;
    controls.show(layers, channel);
  };
  let wanted = '';
  const choose = async (one: ShownCase): Promise<void> => {
    wanted = one.id;
    select(one.id);
    const [image] = one.images;
    showStage(one.slide === undefined ? 'volume' : 'slide');
    if (one.slide !== undefined) return chooseSlide(one, one.slide);
    slides.leave();
    if (image === undefined) {
      tell(
        saved ? `the scan of ${one.id} is not in this page` : `${one.id} has no scan that can be shown`,
        true,
      );
      return;
    }
    tell(`loading ${one.id}`);
    const next = layersOf(data, one);
    await start();
    const begun = performance.now();
    if (!(await viewer.show(image, next, data.classes.length))) return;
    layers = next;
    shown = one;
    controls.show(layers, 0);
    tell(`${one.id}, loaded in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    document.body.dataset.shown = one.id;
    const go = (mm: readonly [number, number, number]): void => viewer.go(mm);
    await showLesions(data, one, go, () => wanted === one.id);
  };
  const chooseSlide = async (one: ShownCase, slide: ShownFile): Promise<void> => {
    byId('lesions').replaceChildren();
    byId('place').textContent = '';
    tell(`loading ${one.id}`);
    const next = layersOf(data, one);
    const begun = performance.now();
    const found = await slides.show(slide, next, data.classes.length);
    if (found === undefined) return;
    [layers, shown] = [next, one];
    controls.showSlide(slides, layers);
    if (!(await slides.loaded())) return;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    tell([`${one.id}, loaded in ${seconds} s`, ...found.notes].join('; '));
    document.body.dataset.shown = one.id;
  };
  const chosen = (one: ShownCase): void => {
    choose(one).catch((error: Error) => tell(`${one.id}: ${error.message}`, true));
  };
  const select = showCases(data, chosen);
  const first = byWorst(data.cases).find(({ images, slide }) => images.length > 0 || slide !== undefined);
  if (first !== undefined) chosen(first);
}

/** What volumes or slides are drawn on. */
function showStage(stage: 'volume' | 'slide'): void {
  byId('canvas').hidden = stage === 'slide';
  byId('slide').hidden = stage === 'volume';
}

/** Truth below, then what each source found. */
function layersOf(data: ViewData, { truth, results }: ShownCase): Layer[] {
  return [
    ...(truth === undefined ? [] : [{ name: 'truth', file: truth, kind: 0 as const }]),
    ...results.flatMap(({ source, labels }) =>
      labels === undefined ? [] : [{ name: data.sources[source].name, file: labels, kind: 1 as const }],
    ),
  ];
}

function placeText(
  { mm, voxel, values }: Place,
  layers: readonly Layer[],
  classes: readonly string[],
): string {
  const [scan, ...labels] = values;
  const [x, y, z] = mm;
  const side = (value: number, more: string, less: string): string =>
    `${value < 0 ? less : more} ${Math.abs(value).toFixed(1)}`;
  const names = labels.map((value, n) => `${layers[n]?.name ?? ''}: ${classes[value] ?? value}`);
  return [
    `${side(x, 'R', 'L')}, ${side(y, 'A', 'P')}, ${side(z, 'S', 'I')} mm`,
    `voxel ${voxel.map((n) => Math.round(n)).join(', ')}`,
    `value ${Number((scan ?? 0).toPrecision(5))}`,
    ...names,
  ].join('   ');
}

function slideText(
  { pixel, microns, classes }: SlidePlace,
  layers: readonly Layer[],
  names: readonly string[],
): string {
  return [
    ...(microns ? [`x ${lengthText(microns[0])}, y ${lengthText(microns[1])}`] : []),
    `pixel ${pixel.join(', ')}`,
    ...classes.map(
      (cls, n) => `${layers[n]?.name ?? ''}: ${cls === undefined ? '...' : (names[cls] ?? cls)}`,
    ),
  ].join('   ');
}

start().catch((error: Error) => tell(error.message, true));
