export { pjrtDevice } from './device.ts';
export { pjrtTarget } from './target.ts';
