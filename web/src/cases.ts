import type { ShownCase, ShownResult, ViewData } from '../../src/view/protocol.ts';
import { byId, fixed, make } from './dom.ts';

/** Mean Dice of the classes that have one; null where none has. */
export function meanDice({ scores }: ShownResult): number | null {
  const known = Object.values(scores ?? {}).flatMap(({ dice }) => (dice === null ? [] : [dice]));
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
}

function worstHd95({ scores }: ShownResult): number | null {
  const known = Object.values(scores ?? {}).flatMap(({ hd95 }) => (hd95 === null ? [] : [hd95]));
  return known.length === 0 ? null : Math.max(...known);
}

const lesionsText = ({ lesions }: ShownResult): string =>
  lesions === undefined
    ? '-'
    : `${lesions.found}/${lesions.trueLesions}, ${lesions.predictedLesions - lesions.matched} false`;

/** The worst first: by the lowest mean Dice of any source; what has no score comes last, in the order given. */
export function byWorst(cases: readonly ShownCase[]): ShownCase[] {
  const worst = ({ results }: ShownCase): number =>
    Math.min(Infinity, ...results.flatMap((result) => meanDice(result) ?? []));
  return cases.toSorted((a, b) => worst(a) - worst(b) || 0);
}

/** The table of cases; `choose` is told which was clicked. */
export function showCases(data: ViewData, choose: (one: ShownCase) => void): (id: string) => void {
  const rows = new Map<string, HTMLElement>();
  const scored = data.sources
    .map((_, source) => source)
    .filter((source) =>
      data.cases.some(({ results }) => results.some((one) => one.source === source && one.scores)),
    );
  const head = make('tr', {}, make('th', {}, `${data.cases.length} cases`));
  for (const source of scored) {
    const name = scored.length > 1 ? ` ${data.sources[source].name}` : '';
    head.append(make('th', {}, `Dice${name}`), make('th', {}, 'HD95 mm'), make('th', {}, 'lesions'));
  }
  const body = make('tbody');
  for (const one of byWorst(data.cases)) {
    const row = make(
      'tr',
      { tabindex: 0, 'data-case': one.id },
      make('td', {}, one.id, ...(one.kind === undefined ? [] : [make('small', {}, ` ${one.kind}`)])),
    );
    for (const source of scored) {
      const result = one.results.find((result) => result.source === source);
      const cells =
        result === undefined
          ? ['-', '-', '-']
          : [fixed(meanDice(result), 3), fixed(worstHd95(result), 1), lesionsText(result)];
      const all = Object.entries(result?.scores ?? {})
        .map(([name, { dice, hd95 }]) => `${name}: Dice ${fixed(dice, 4)}, HD95 ${fixed(hd95, 1)} mm`)
        .join('\n');
      row.append(...cells.map((text) => make('td', { title: all }, text)));
    }
    const chosen = (): void => choose(one);
    row.addEventListener('click', chosen);
    row.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') chosen();
    });
    rows.set(one.id, row);
    body.append(row);
  }
  byId('cases').replaceChildren(
    ...data.notes.map((note) => make('p', { class: 'note' }, note)),
    make('table', {}, make('thead', {}, head), body),
  );
  return (id) => {
    for (const [other, row] of rows) row.setAttribute('aria-selected', `${other === id}`);
  };
}
