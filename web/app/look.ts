import { type NiiVueLocation, Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue';
import type { WebRun } from './protocol.ts';

/** How a scan is looked at. */
export const LAYOUTS = {
  'three planes and 3-D': SLICE_TYPE.MULTIPLANAR,
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
  '3-D': SLICE_TYPE.RENDER,
} as const;

/** A scan, and its segmentation over it. */
export class Look {
  private readonly nv: Niivue;
  private opacity = 0.5;

  /** `onPlace`: told in words where the cross hair is. */
  constructor(onPlace: (text: string) => void, classNames: () => ReadonlyMap<number, string>) {
    this.nv = new Niivue({
      backColor: [0.043, 0.051, 0.07, 1],
      crosshairColor: [0.9, 0.9, 0.9, 0.6],
      crosshairWidth: 1,
      crosshairWidthUnit: 'mm',
      isRadiologicalConvention: true,
      sagittalNoseLeft: true,
      multiplanarShowRender: SHOW_RENDER.ALWAYS,
      dragAndDropEnabled: false,
      logLevel: 'error',
      loadingText: '',
    });
    this.nv.onLocationChange = (location) => {
      const { mm, vox, values } = location as NiiVueLocation;
      const [scan, label] = values.map(({ value }) => value);
      const [x, y, z] = mm;
      const side = (value: number, plus: string, minus: string): string =>
        `${value < 0 ? minus : plus} ${Math.abs(value).toFixed(1)}`;
      const parts = [
        `${side(x, 'R', 'L')}, ${side(y, 'A', 'P')}, ${side(z, 'S', 'I')} mm`,
        `voxel ${[...vox].map((n) => Math.round(n)).join(', ')}`,
        `value ${Number((scan ?? 0).toPrecision(5))}`,
        ...(label === undefined ? [] : [classNames().get(Math.round(label)) ?? `${label}`]),
      ];
      onPlace(parts.join('   '));
    };
  }

  async start(canvas: HTMLCanvasElement): Promise<void> {
    await this.nv.attachToCanvas(canvas);
  }

  /** Shows a scan in place of all that was shown: the bytes of a NIfTI file. */
  async showScan(nifti: Uint8Array<ArrayBuffer>): Promise<void> {
    const image = await loaded(nifti, 'scan.nii');
    this.clear(0);
    this.nv.addVolume(image);
    this.nv.updateGLVolume();
  }

  /** Shows a label map over the scan in the colours of the run's classes. */
  async showLabels(nifti: Uint8Array<ArrayBuffer>, run: WebRun): Promise<void> {
    const image = await loaded(nifti, 'labels.nii');
    image.setColormapLabel(tableOf(run));
    this.clear(1);
    this.nv.addVolume(image);
    this.setOpacity(this.opacity);
    this.nv.updateGLVolume();
  }

  /** Takes away all but the first volumes. */
  clear(kept: number): void {
    while (this.nv.volumes.length > kept) this.nv.removeVolumeByIndex(this.nv.volumes.length - 1);
  }

  /** The values that are black and white; the ends of what the scan holds by default. */
  setWindow(window: readonly [number, number] | undefined): void {
    const [scan] = this.nv.volumes;
    if (scan === undefined) return;
    [scan.cal_min, scan.cal_max] = window ?? [scan.global_min, scan.global_max];
    this.nv.updateGLVolume();
  }

  setOpacity(opacity: number): void {
    this.opacity = opacity;
    if (this.nv.volumes.length > 1) this.nv.setOpacity(1, opacity);
  }

  setLayout(name: keyof typeof LAYOUTS): void {
    this.nv.setSliceType(LAYOUTS[name]);
  }
}

async function loaded(nifti: Uint8Array<ArrayBuffer>, name: string): Promise<NVImage> {
  const url = URL.createObjectURL(new Blob([nifti]));
  try {
    return await NVImage.loadFromUrl({ url, name });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Colours by the values of a label map; the background is clear. */
function tableOf({ colors, classValues }: WebRun) {
  const byValue = new Map(
    colors.map((color, cls) => [classValues?.[cls] ?? cls, cls === 0 ? undefined : color]),
  );
  const values = Array.from({ length: Math.max(2, ...byValue.keys()) + 1 }, (_, value) => value);
  const channel = (n: number): number[] =>
    values.map((value) => Number.parseInt(byValue.get(value)?.slice(1 + 2 * n, 3 + 2 * n) ?? '0', 16));
  return {
    R: channel(0),
    G: channel(1),
    B: channel(2),
    A: values.map((value) => (byValue.get(value) === undefined ? 0 : 255)),
    I: values,
    labels: values.map((value) => `${value}`),
  };
}
