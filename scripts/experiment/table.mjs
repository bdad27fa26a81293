// What came out, as Markdown.
import { markdownTable } from '../../dist/index.js';

/** Two tables: scores, and what a step costs. Of runs that are not done yet stands nothing. */
export function tables(found) {
  return `${scores(found)}\n\n${costs(found)}\n`;
}

function scores({ settings, held, seeds, runs, ceilings, class: name }) {
  const rows = settings.flatMap(({ name: setting, title, config }) => {
    const row = (label, key, limited = false) => {
      const of = (test) => runs.filter((run) => run.setting === setting && test(run)).map((run) => run[key]);
      const patients = held.map((id) => {
        const found = of((run) => run.held === id);
        const limit = ceilings[`${setting} ${id}`];
        return limited && limit !== undefined ? `${list(found)} (of ${fixed(limit)})` : list(found);
      });
      // A seed counts when all patients are done.
      const means = seeds.flatMap((seed) => {
        const own = of((run) => run.seed === seed);
        return own.length === held.length ? [mean(own)] : [];
      });
      return [label, ...patients, list(means), means.length > 0 ? spread(means) : ''];
    };
    const shown = row(title, 'dice', true);
    return config.patch ? [shown, row('– predicted in one piece', 'diceOfWholeVolume')] : [shown];
  });
  const columns = [
    { title: `Dice, ${name}` },
    ...held.map((id) => ({ title: `${id} unseen` })),
    { title: 'mean by seed' },
    { title: 'mean ± deviation' },
  ];
  return markdownTable(columns, rows);
}

function costs({ settings, runs }) {
  const rows = settings.map(({ name, title }) => {
    const of = (key) => runs.filter((run) => run.setting === name).map((run) => run[key]);
    if (of('flops').length === 0) return [title];
    return [
      title,
      (Math.max(...of('flops')) / 1e9).toFixed(1),
      (Math.max(...of('tensorBytes')) / 2 ** 20).toFixed(0),
      (Math.max(...of('peakRssBytes')) / 2 ** 20).toFixed(0),
      // Of the run that other programs disturbed least.
      Math.min(...of('secondsPerStep')).toFixed(2),
    ];
  });
  const titles = ['a step of training', 'GFLOP', 'tensors, MiB', 'process, MiB', 'seconds'];
  return markdownTable(
    titles.map((title, n) => ({ title, right: n > 0 })),
    rows,
  );
}

const fixed = (score) => (score === null ? '-' : score.toFixed(3));
const list = (scores) => scores.map(fixed).join(', ');
const mean = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

/** Mean and standard deviation (over n - 1). */
function spread(numbers) {
  const middle = mean(numbers);
  if (numbers.length < 2) return fixed(middle);
  const squares = numbers.reduce((sum, n) => sum + (n - middle) ** 2, 0);
  return `${fixed(middle)} ± ${fixed(Math.sqrt(squares / (numbers.length - 1)))}`;
}
