// Loaded before the command: on rank 2 every augmentation fails.
import { register } from 'node:module';

const hook = `
  export async function load(url, context, next) {
    const loaded = await next(url, context);
    if (!url.endsWith('/imaging/augment/augment.js')) return loaded;
    const source = String(loaded.source).replace(
      'export async function augmentBox(',
      'export async function augmentBox() { throw new Error("a bad random number"); }\\nasync function unused(',
    );
    return { ...loaded, source };
  }`;

const rank = process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK;
if (rank === '2') register(`data:text/javascript,${encodeURIComponent(hook)}`);
