import type { Distances } from './slide-plan.ts';

/** What a place of a slide is made of. */
export type Zone = 'glass' | 'capsule' | 'cleft' | 'focus' | 'epithelium' | 'lumen' | 'stroma';

/** Classes of the label maps, by value. */
export const SLIDE_LABELS = ['background', 'tissue', 'gland', 'inflammation', 'tumour'] as const;

/** Red, green and blue of the classes. */
export const SLIDE_COLOURS = [
  [0, 0, 0],
  [255, 204, 153],
  [0, 204, 204],
  [153, 153, 255],
  [255, 51, 51],
] as const;

/** Microns of dense fibres within the edge of a tumour, and of the gap beyond it. */
export const CAPSULE = 14;
export const CLEFT = 7;

/** Microns of the cells around a lumen. */
const EPITHELIUM = 13;

/** What is seen of a place: of a tumour nothing but its edge. */
export function zoneOf({ tissue, gland, focus, tumour }: Distances): Zone {
  if (tissue > 0) return 'glass';
  if (tumour <= CLEFT && tumour > -CAPSULE) return tumour > 0 ? 'cleft' : 'capsule';
  if (focus < 0) return 'focus';
  if (gland < 0) return gland > -EPITHELIUM ? 'epithelium' : 'lumen';
  return 'stroma';
}

/** The class of a place: a tumour is all that its edge goes around. */
export function labelOf({ tissue, gland, focus, tumour }: Distances): number {
  if (tissue > 0) return 0;
  if (tumour <= 0) return 4;
  if (focus < 0) return 3;
  return gland < 0 ? 2 : 1;
}
