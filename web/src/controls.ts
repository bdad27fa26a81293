import type { ViewData } from '../../src/view/protocol.ts';
import { byId, make } from './dom.ts';
import { colorOf, LAYOUTS, type Layer, type Viewer } from './viewer.ts';

/** Ends of windows in HU. */
const PRESETS: Readonly<Record<string, readonly [number, number]>> = {
  'soft tissue': [-160, 240],
  liver: [-45, 105],
  lung: [-1350, 150],
  bone: [-500, 1300],
  brain: [0, 80],
};

/** What shows label maps over a volume or a slide. */
export interface Overlays {
  setOpacity(layer: number, opacity: number): void;
  /** Which labels are not shown. */
  setHidden(hidden: ReadonlySet<number>, classes: number): void;
  setOutlines(on: boolean): void;
}

/** Everything that changes how a case is shown. What was chosen is kept from case to case. */
export class Controls {
  /** Of volumes. */
  private readonly viewer: Viewer;
  /** What is shown now: the viewer of volumes, or that of slides. */
  private overlays: Overlays;
  /** Lays the controls anew. */
  private again: () => void = () => {};
  private readonly data: ViewData;
  private layers: readonly Layer[] = [];
  private readonly off = new Set<string>();
  private readonly hidden = new Set<number>();
  private opacity = 0.5;
  /** 0 shows the first prediction alone, 1 the second. */
  private mix: number | undefined;
  private outlines = false;
  /** What was chosen, by channel. */
  private readonly windows = new Map<number, string>();
  private channel = 0;
  /** Asks for another channel of the scan that is shown. */
  private readonly askChannel: (channel: number) => void;
  private layout: keyof typeof LAYOUTS = 'three planes and 3-D';

  constructor(viewer: Viewer, data: ViewData, askChannel: (channel: number) => void) {
    [this.viewer, this.overlays] = [viewer, viewer];
    this.data = data;
    this.askChannel = askChannel;
    byId('controls').addEventListener('submit', (event) => event.preventDefault());
  }

  /** Shows the controls for a slide with some layers, and applies them. */
  showSlide(slide: Overlays, layers: readonly Layer[]): void {
    this.overlays = slide;
    this.again = () => this.showSlide(slide, layers);
    this.lay(layers, []);
  }

  /** Shows the controls for a channel of a scan with some layers, and applies them. */
  show(layers: readonly Layer[], channel: number): void {
    this.overlays = this.viewer;
    this.channel = channel;
    this.again = () => this.show(layers, channel);
    this.lay(layers, this.ofVolumes(channel));
    this.viewer.setLayout(this.layout);
    this.applyWindow();
  }
  /** What there is to choose for a channel of a volume alone. */
  private ofVolumes(channel: number): Node[] {
    return [
      this.choice('view', Object.keys(LAYOUTS), this.layout, (name) => {
        this.layout = name as keyof typeof LAYOUTS;
        this.viewer.setLayout(this.layout);
      }),
      ...(this.data.channels.length < 2
        ? []
        : [
            this.choice('channel', this.channelNames(), this.channelNames()[channel], (name) =>
              this.askChannel(this.channelNames().indexOf(name)),
            ),
          ]),
      this.choice(
        'window',
        ['whole range', ...this.ownWindow(), ...Object.keys(PRESETS)],
        this.windowName(),
        (name) => {
          this.windows.set(this.channel, name);
          this.applyWindow();
        },
      ),
    ];
  }

  /** Lays the controls of layers behind others, and applies them. */
  private lay(layers: readonly Layer[], before: readonly Node[]): void {
    this.layers = layers;
    const predictions = layers.filter(({ kind }) => kind === 1);
    if (predictions.length < 2) this.mix = undefined;
    byId('controls').replaceChildren(
      ...before,
      this.slider('opacity', this.opacity, (value) => {
        this.opacity = value;
        this.applyOpacity();
      }),
      this.box('outlines', this.outlines, undefined, (on) => {
        this.outlines = on;
        this.overlays.setOutlines(on);
      }),
      ...layers.map(({ name }) =>
        this.box(name, !this.off.has(name), undefined, (on) => {
          if (on) this.off.delete(name);
          else this.off.add(name);
          this.applyOpacity();
        }),
      ),
      ...(predictions.length < 2
        ? []
        : [
            this.slider(`${predictions[0].name} to ${predictions[1].name}`, this.mix ?? 0.5, (value) => {
              this.mix = value;
              this.applyOpacity();
            }),
          ]),
      ...this.regionChoice(),
      ...this.data.classes.slice(1).map((name, n) =>
        this.box(name, !this.hidden.has(n + 1), n + 1, (on) => {
          if (on) this.hidden.delete(n + 1);
          else this.hidden.add(n + 1);
          this.overlays.setHidden(this.hidden, this.data.classes.length);
        }),
      ),
    );
    if (this.hidden.size > 0) this.overlays.setHidden(this.hidden, this.data.classes.length);
    this.overlays.setOutlines(this.outlines);
    this.applyOpacity();
  }

  /** Each once, as two channels may be called the same. */
  private channelNames(): string[] {
    return this.data.channels.map(({ name }, n) => `${n}: ${name}`);
  }

  /** Shows the classes of one region alone, or all. */
  private regionChoice(): Node[] {
    const { regions, classes } = this.data;
    if (regions.length === 0) return [];
    const visible = classes.map((_, cls) => cls).filter((cls) => cls > 0 && !this.hidden.has(cls));
    const chosen = regions.find((one) => `${one.classes}` === `${visible}`)?.name;
    const all = 'all classes';
    const names = [all, ...regions.map(({ name }) => name)];
    return [
      this.choice('region', names, visible.length === classes.length - 1 ? all : (chosen ?? all), (name) => {
        const shown = regions.find((one) => one.name === name)?.classes;
        this.hidden.clear();
        classes.forEach((_, cls) => {
          if (shown !== undefined && cls > 0 && !shown.includes(cls)) this.hidden.add(cls);
        });
        this.again();
        this.overlays.setHidden(this.hidden, classes.length);
      }),
    ];
  }

  private trainingWindow(): readonly [number, number] | undefined {
    return this.data.channels[this.channel]?.window;
  }

  private ownWindow(): string[] {
    return this.trainingWindow() === undefined ? [] : ['of the training'];
  }

  /** What was chosen; else soft tissue for scans that look like CT, and the whole range for others. */
  private windowName(): string {
    const chosen = this.windows.get(this.channel);
    if (chosen !== undefined) return chosen;
    const [low, high] = this.viewer.range;
    if (low >= -100 || high <= 100) return 'whole range';
    return this.trainingWindow() === undefined ? 'soft tissue' : 'of the training';
  }

  private applyWindow(): void {
    const name = this.windowName();
    this.viewer.setWindow(name === 'of the training' ? this.trainingWindow() : PRESETS[name]);
  }

  private applyOpacity(): void {
    let prediction = 0;
    this.layers.forEach(({ name, kind }, n) => {
      const number = kind === 1 ? prediction++ : -1;
      const share =
        this.mix === undefined || number < 0 || number > 1 ? 1 : number === 0 ? 1 - this.mix : this.mix;
      this.overlays.setOpacity(n, this.off.has(name) ? 0 : this.opacity * share);
    });
  }

  private choice(
    name: string,
    values: readonly string[],
    value: string,
    take: (value: string) => void,
  ): Node {
    const select = make('select', { 'aria-label': name });
    for (const one of values) select.append(make('option', { value: one, selected: one === value }, one));
    select.addEventListener('change', () => take(select.value));
    return make('label', {}, name, select);
  }

  private slider(name: string, value: number, take: (value: number) => void): Node {
    const input = make('input', { type: 'range', min: 0, max: 1, step: 0.01, value, 'aria-label': name });
    input.addEventListener('input', () => take(Number(input.value)));
    return make('label', {}, name, input);
  }

  private box(name: string, on: boolean, label: number | undefined, take: (on: boolean) => void): Node {
    const input = make('input', { type: 'checkbox', checked: on });
    input.addEventListener('change', () => take(input.checked));
    if (label === undefined) return make('label', {}, input, name);
    // Colours by script: the page's policy and its style sheet stay as they are.
    const swatch = (kind: 0 | 1): HTMLElement => {
      const square = make('span', { class: 'swatch', title: kind === 0 ? 'truth' : 'prediction' });
      square.style.background = colorOf(label, kind);
      return square;
    };
    return make('label', {}, input, swatch(0), swatch(1), name);
  }
}
