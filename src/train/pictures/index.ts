// Pictures of a run, as PNG files: what was segmented, and how the training went.

export { drawOverlay, overlayPicture, slicesPicture, type ViewSlices } from './overlay.ts';
export { CLASS_COLORS, type OverlayFrame, type OverlayOptions, viewsOf } from './overlay-frame.ts';
export { drawProgress, type ProgressOptions, type ProgressPoint } from './progress.ts';
export { savePicture } from './raster.ts';
export { drawScaling, type ScalingPicture, type ScalingPoint } from './scaling.ts';
export { sliceOf, VIEWS, type View } from './slice.ts';
export { VolumeFacts } from './volume-facts.ts';
