export { rest } from '../machine/index.ts';
