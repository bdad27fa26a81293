export { pjrtDevice } from './device.ts';
export { lookAt, pjrtBytes, pjrtNote } from './found.ts';
export { pjrtTarget } from './target.ts';
