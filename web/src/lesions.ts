import type { LesionPlace, ShownCase, ViewData } from '../../src/view/protocol.ts';
import { lesionsOf } from './data.ts';
import { byId, fixed, make } from './dom.ts';

const KINDS = {
  truth: ['missed', 'found'],
  prediction: ['false', 'matches'],
} as const;

/** The table of the lesions of a case, for each segmentation; `go` is told the place of the one that was clicked. */
export async function showLesions(
  data: ViewData,
  one: ShownCase,
  go: (mm: LesionPlace['mm']) => void,
  still: () => boolean,
): Promise<void> {
  const room = byId('lesions');
  room.replaceChildren();
  for (const { source, labels } of one.results) {
    if (labels === undefined || one.truth === undefined) continue;
    const found = await lesionsOf(one.id, source);
    if (!still()) return;
    if (found === null) continue;
    const body = make('tbody');
    for (const { of, met, ml, mm } of found.places) {
      const row = make(
        'tr',
        { tabindex: 0, class: 'lesion' },
        make('td', {}, `${of}, ${KINDS[of][met ? 1 : 0]}`),
        make('td', {}, fixed(ml, ml < 1 ? 3 : 1)),
        make('td', {}, mm.map((value) => value.toFixed(0)).join(', ')),
      );
      row.addEventListener('click', () => go(mm));
      row.addEventListener('keydown', ({ key }) => {
        if (key === 'Enter') go(mm);
      });
      body.append(row);
    }
    const head = make('tr', {}, ...['part', 'ml', 'R, A, S mm'].map((text) => make('th', {}, text)));
    room.append(
      make('h2', {}, `${found.label} in ${data.sources[source].name}`),
      make('table', {}, make('thead', {}, head), body),
      ...(found.more > 0 ? [make('p', { class: 'note' }, `and ${found.more} smaller ones`)] : []),
    );
  }
}
