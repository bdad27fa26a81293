export type { PngImage } from './events.ts';
export { stepScalars, validationScalars } from './lines.ts';
export { EventWriter } from './writer.ts';
