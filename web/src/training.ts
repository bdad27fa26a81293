import type { ViewData } from '../../src/view/protocol.ts';
import { byId, make } from './dom.ts';

/** The live page of a run. */
export function showTraining(source: number, data: ViewData): void {
  byId('training').replaceChildren(make('p', {}, `${data.sources[source].name}: nothing yet`));
}
