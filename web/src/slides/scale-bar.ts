import { byId } from '../dom.ts';

/** Pixels of the screen that the bar is not longer than. */
const LONGEST = 160;

/** Shows how long so many microns are, a round number; `micronsPerPixel`: of the screen. Undefined where the slide does not say. */
export function showScale(micronsPerPixel: number | undefined): void {
  const bar = byId('scale');
  bar.hidden = micronsPerPixel === undefined;
  if (micronsPerPixel === undefined) return;
  const most = LONGEST * micronsPerPixel;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = ([5, 2, 1].find((n) => n * power <= most) ?? 1) * power;
  bar.style.width = `${length / micronsPerPixel}px`;
  bar.textContent = lengthText(length);
}

/** `1 mm`, `200 µm`, `500 nm`. */
export function lengthText(microns: number): string {
  if (microns >= 1000) return `${Number((microns / 1000).toPrecision(3))} mm`;
  return microns >= 1 ? `${Number(microns.toPrecision(3))} µm` : `${Math.round(1000 * microns)} nm`;
}
