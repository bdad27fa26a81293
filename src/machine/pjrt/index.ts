export { pjrtDevice } from './device.ts';
export { pjrtBytes, pjrtNote } from './found.ts';
export { pjrtTarget } from './target.ts';
