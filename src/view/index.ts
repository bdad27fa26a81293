// A page to look at scans, segmentations and trainings, served on this machine alone.

export { PageFiles } from './page-files.ts';
export type * from './protocol.ts';
export { saveView } from './save.ts';
export { serveView, type ViewServer } from './server.ts';
export { View, type ViewOptions } from './view.ts';
export { writeApp } from './write-app.ts';
