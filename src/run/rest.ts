export { rest } from '../machine/rest.ts';
