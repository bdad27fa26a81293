// Pictures of a run, as PNG files: what was segmented, and how the training went.
export { CLASS_COLORS, drawOverlay, type OverlayOptions } from './overlay.ts';
export { drawProgress, type ProgressOptions, type ProgressPoint } from './progress.ts';
