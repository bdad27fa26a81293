import { Chart, COLORS, type Line } from './charts.ts';
import { make } from './dom.ts';

/** What is drawn of a validation. */
export interface Scored {
  readonly step: number;
  readonly loss: number | null;
  readonly dice: Readonly<Record<string, number | null>>;
  readonly accuracy?: number | null;
  readonly auc?: number | null;
}

/** What is drawn of a step. */
export interface ScoredStep extends Scored {
  readonly loss: number;
  readonly learningRate?: number;
}

/** Dice by class, or what is told of images that have one label. */
export const scoresOf = ({ dice, accuracy, auc }: Scored): Readonly<Record<string, number | null>> => ({
  ...Object.fromEntries(Object.entries(dice).map(([name, score]) => [`Dice ${name}`, score])),
  ...(accuracy !== undefined && { accuracy }),
  ...(auc !== undefined && { AUC: auc }),
});

/** Curves of a training: loss and scores, training and validation told apart, and the learning rate. */
export class Curves {
  readonly element: HTMLElement;
  private readonly loss = new Chart('loss');
  private readonly scores = new Chart('Scores', [0, 1]);
  private readonly rate = new Chart('learning rate');

  constructor() {
    const figures = [this.loss, this.scores, this.rate].map(({ figure }) => figure);
    this.element = make('div', { class: 'charts' }, ...figures);
  }

  /** `last`: the step that the axes end at. */
  draw(steps: readonly ScoredStep[], validations: readonly Scored[], last: number): void {
    this.loss.draw(
      [
        { name: 'training', color: '#98a1b3', points: steps.map(({ step, loss }) => [step, loss]) },
        {
          name: 'validation',
          color: COLORS[1],
          points: validations.flatMap(({ step, loss }) => (loss === null ? [] : [[step, loss] as const])),
          dots: true,
        },
      ],
      last,
    );
    const classes = [...new Set([...steps, ...validations].flatMap((line) => Object.keys(scoresOf(line))))];
    this.scores.draw(
      classes.flatMap((name, n): Line[] => {
        const color = COLORS[n % COLORS.length];
        const of = (all: readonly Scored[]) =>
          all.flatMap((line) => {
            const score = scoresOf(line)[name];
            return typeof score === 'number' ? [[line.step, score] as const] : [];
          });
        return [
          { name: `${name}, training`, color, points: of(steps) },
          { name: `${name}, validation (dots)`, color, points: of(validations), dots: true },
        ];
      }),
      last,
    );
    const points = steps.map(({ step, learningRate }) => [step, learningRate ?? 0] as const);
    this.rate.draw([{ name: '', color: '#cc79a7', points }], last);
  }
}
