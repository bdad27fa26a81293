// Pictures of a run, as PNG files: what was segmented, and how the training went.

export { drawOverlay } from './overlay.ts';
export { CLASS_COLORS, type OverlayOptions } from './overlay-frame.ts';
export { drawProgress, type ProgressOptions, type ProgressPoint } from './progress.ts';
export { drawScaling, type ScalingPicture, type ScalingPoint } from './scaling.ts';
