import { type NiiVueLocation, Niivue, type NVImage, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue';
import { CLASS_HEX } from '../../src/train/config/class-colors.ts';
import type { ShownFile } from '../../src/view/protocol.ts';
import { bytesOf, problemOf } from './data.ts';
import { imageOf, readVolume } from './load-volume.ts';
import { outlinesOf } from './outlines.ts';

/** A label map over a scan. */
export interface Layer {
  readonly name: string;
  readonly file: ShownFile;
  /** 0 for truth, 1 for a prediction: which colours its labels have. */
  readonly kind: 0 | 1;
}

export const LAYOUTS = {
  'three planes and 3-D': SLICE_TYPE.MULTIPLANAR,
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
  '3-D': SLICE_TYPE.RENDER,
} as const;

export interface Place {
  readonly mm: readonly number[];
  readonly voxel: readonly number[];
  /** Of the scan, then of each layer. */
  readonly values: readonly number[];
}

/** A scan with label maps over it. */
export class Viewer {
  private readonly nv: Niivue;
  private layers: readonly Layer[] = [];
  /** The voxels of the label maps, a byte each, as the server writes them. */
  private whole: readonly Uint8Array[] = [];
  private outlined = false;
  private due = false;
  /** What is being shown: of two cases that are asked for, the later one counts. */
  private turn = 0;
  private readonly canvas: HTMLCanvasElement;

  constructor(canvas: HTMLCanvasElement, onPlace: (place: Place) => void) {
    this.canvas = canvas;
    this.nv = new Niivue({
      backColor: [0.043, 0.051, 0.07, 1],
      crosshairColor: [0.9, 0.9, 0.9, 0.6],
      crosshairWidth: 1,
      crosshairWidthUnit: 'mm',
      isRadiologicalConvention: true,
      sagittalNoseLeft: true,
      multiplanarShowRender: SHOW_RENDER.ALWAYS,
      dragAndDropEnabled: false,
      isNearestInterpolation: false,
      logLevel: 'error',
      loadingText: '',
      // No gradients of the scan: see vite.config.ts.
      gradientOrder: 0,
    });
    this.nv.onLocationChange = (location) => {
      const { mm, vox, values } = location as NiiVueLocation;
      onPlace({
        mm: [...mm].slice(0, 3),
        voxel: [...vox],
        values: values.map(({ value, vox: [i, j, k] }, n) => this.valueAt(n, [i, j, k]) ?? value),
      });
    };
  }

  async start(): Promise<void> {
    await this.nv.attachToCanvas(this.canvas);
  }

  /** Loads a scan and its label maps in place of those before. False where another case was asked for meanwhile. */
  async show(scan: ShownFile, layers: readonly Layer[], classes: number): Promise<boolean> {
    const turn = ++this.turn;
    const images = await Promise.all([load(scan), ...layers.map(async ({ file }) => load(file))]);
    if (turn !== this.turn) return false;
    this.layers = layers;
    this.whole = images.slice(1).map(({ img }) => img as Uint8Array);
    this.outlined = false;
    images.forEach((image, n) => {
      if (n > 0) image.setColormapLabel(tableOf(layers[n - 1].kind, classes, new Set()));
    });
    this.draw(images);
    return true;
  }

  /** Loads another channel in place of the scan; the label maps stay. False where another case was asked for meanwhile. */
  async showChannel(scan: ShownFile): Promise<boolean> {
    const turn = ++this.turn;
    const image = await load(scan);
    if (turn !== this.turn) return false;
    this.draw([image, ...this.nv.volumes.slice(1)]);
    return true;
  }

  /** At once, as each volume that NiiVue is given by itself has all of them drawn anew. */
  private draw(images: NVImage[]): void {
    this.nv.volumes = images;
    [this.nv.back] = images;
    this.nv.overlays = images.slice(1);
    this.update();
  }

  /** Once for all changes before the next picture of the screen: every time all voxels go to the GPU. */
  private update(): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.nv.updateGLVolume();
      // What is under the cross hair may be another value.
      this.nv.createOnLocationChange();
    });
  }

  /** The values of the scan that are black and white; the ends of what it holds by default. */
  setWindow(window: readonly [number, number] | undefined): void {
    const [scan] = this.nv.volumes;
    if (scan === undefined) return;
    [scan.cal_min, scan.cal_max] = window ?? [scan.global_min, scan.global_max];
    this.update();
  }

  get range(): readonly [number, number] {
    const [scan] = this.nv.volumes;
    return [scan?.global_min ?? 0, scan?.global_max ?? 1];
  }

  setOpacity(layer: number, opacity: number): void {
    const image = this.nv.volumes[layer + 1];
    if (image === undefined) return;
    image.opacity = opacity;
    this.update();
  }

  /** Which labels are not shown. */
  setHidden(hidden: ReadonlySet<number>, classes: number): void {
    this.layers.forEach(({ kind }, n) => {
      this.nv.volumes[n + 1]?.setColormapLabel(tableOf(kind, classes, hidden));
    });
    this.update();
  }

  /** Shows the outlines of labels in place of their whole areas. */
  setOutlines(on: boolean): void {
    if (on === this.outlined) return;
    this.outlined = on;
    this.nv.volumes.slice(1).forEach((image, n) => {
      const whole = this.whole[n];
      const [, width, height, depth] = image.hdr!.dims;
      image.img = on ? outlinesOf(whole, [width, height, depth]) : whole;
    });
    this.update();
  }

  /** A label as it is in its file, also where only outlines are drawn. */
  private valueAt(n: number, [i, j, k]: readonly [number, number, number]): number | undefined {
    const [image, whole] = [this.nv.volumes[n], this.whole[n - 1]];
    if (image === undefined || whole === undefined || !this.outlined) return undefined;
    const drawn = image.img;
    image.img = whole;
    const value = image.getValue(i, j, k);
    image.img = drawn;
    return value;
  }

  setLayout(name: keyof typeof LAYOUTS): void {
    this.nv.setSliceType(LAYOUTS[name]);
  }

  /** Puts the cross hair at a place in RAS+ mm. */
  go([x, y, z]: readonly [number, number, number]): void {
    this.nv.scene.crosshairPos = this.nv.mm2frac([x, y, z]);
    this.nv.createOnLocationChange();
    this.nv.drawScene();
  }
}

async function load(file: ShownFile): Promise<NVImage> {
  return imageOf(await readVolume(file.name, await bytesOf(file), () => problemOf(file)), file.name);
}

/** Colours of labels 0 to `classes` - 1; label 0 and hidden ones are clear. */
function tableOf(kind: 0 | 1, classes: number, hidden: ReadonlySet<number>) {
  const labels = Array.from({ length: Math.max(2, classes) }, (_, label) => label);
  const channel = (n: number): number[] =>
    labels.map((label) =>
      label === 0 ? 0 : Number.parseInt(colorOf(label, kind).slice(1 + 2 * n, 3 + 2 * n), 16),
    );
  return {
    R: channel(0),
    G: channel(1),
    B: channel(2),
    A: labels.map((label) => (label === 0 || hidden.has(label) ? 0 : 255)),
    I: labels,
    labels: labels.map((label) => `${label}`),
  };
}

export const colorOf = (label: number, kind: 0 | 1): string =>
  CLASS_HEX[(label - 1) % CLASS_HEX.length][kind];
