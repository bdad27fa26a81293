import type { ShownRun, ShownSample, ViewData } from '../../src/view/protocol.ts';
import { Curves, type Scored, type ScoredStep, scoresOf } from './curves.ts';
import { byId, make, tell } from './dom.ts';

/** A line of a log, as far as it is shown. */
type Logged =
  | (ScoredStep & { readonly kind: 'step'; readonly seconds?: number; readonly peakRssBytes?: number })
  | (Scored & { readonly kind: 'validation' })
  | { readonly kind: 'warning'; readonly step: number; readonly text: string };

type Step = Extract<Logged, { kind: 'step' }>;

/** Steps that the pace is the mean of. */
const PACED = 20;
/** Lines of the log that are shown. */
const SHOWN = 40;

let live: EventSource | undefined;

/** The live page of a run: follows its log until another one is shown. */
export function showTraining(source: number, data: ViewData): void {
  live?.close();
  const page = new TrainingPage(source, data.sources[source].name);
  live = page.follow();
}

class TrainingPage {
  private readonly source: number;
  private run: ShownRun | undefined;
  private lines: Logged[] = [];
  private due = false;
  private readonly facts = make('dl', { class: 'facts' });
  private readonly curves = new Curves();
  private readonly layers = make('section');
  private readonly log = make('div', { class: 'log' });
  private readonly sample = make('section');
  /** Whether a case is segmented with every new checkpoint; whether one is just now, and another checkpoint has come meanwhile. */
  private sampling = false;
  private busy = false;
  private missed = false;

  constructor(source: number, name: string) {
    this.source = source;
    const ask = make('button', { type: 'button' }, 'segment a case with the newest checkpoint');
    ask.addEventListener('click', () => {
      ask.disabled = true;
      this.sampling = true;
      this.sampleNow();
    });
    byId('training').replaceChildren(
      make('h2', {}, name),
      this.facts,
      this.curves.element,
      this.layers,
      make('h2', {}, 'sample'),
      make(
        'p',
        { class: 'note' },
        ask,
        ' And with each that follows, at the lowest priority beside the training.',
      ),
      this.sample,
      make('h2', {}, 'log'),
      this.log,
    );
  }

  follow(): EventSource {
    const address = (name: string): string => `api/${name}?source=${this.source}`;
    fetch(address('run'))
      .then(async (response) => {
        if (!response.ok) throw new Error(await response.text());
        this.run = await response.json();
        this.showLayers();
        this.draw();
      })
      .catch((error: Error) => tell(error.message, true));
    const events = new EventSource(address('log'));
    // A connection that comes back, and a log that begins anew, bring all lines again.
    const again = (): void => {
      this.lines = [];
    };
    events.addEventListener('open', again);
    events.addEventListener('again', again);
    events.addEventListener('checkpoint', () => {
      if (this.sampling) this.sampleNow();
    });
    events.addEventListener('lines', ({ data }: MessageEvent<string>) => {
      for (const text of data.split('\n')) {
        const line = lineOf(text);
        if (line !== undefined) this.lines.push(line);
      }
      this.draw();
    });
    return events;
  }

  /** Once for all lines that came since the last picture of the screen. */
  private draw(): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.drawNow();
    });
  }

  private drawNow(): void {
    const steps = this.lines.filter((line) => line.kind === 'step');
    const validations = this.lines.filter((line) => line.kind === 'validation');
    const last = Math.max(this.run?.steps ?? 0, steps.at(-1)?.step ?? 0);
    this.curves.draw(steps, validations, last);
    this.showFacts(steps);
    this.log.textContent = this.lines.slice(-SHOWN).map(said).join('\n');
    this.log.scrollTop = this.log.scrollHeight;
  }

  private showFacts(steps: readonly Step[]): void {
    const { run } = this;
    const last = steps.at(-1);
    // The first step of a process takes longer.
    const paced = steps.slice(1).slice(-PACED);
    const pace = paced.reduce((sum, { seconds = 0 }) => sum + seconds, 0) / paced.length;
    const left = run === undefined || last === undefined ? Number.NaN : (run.steps - last.step) * pace;
    const predicted = run?.predictedPeakBytes;
    const facts: readonly [string, string][] = [
      ['step', `${last?.step ?? 0} of ${run?.steps ?? '?'}`],
      ['loss', last === undefined ? '-' : last.loss.toFixed(4)],
      ['seconds a step', Number.isFinite(pace) ? pace.toPrecision(3) : '-'],
      ['time left', Number.isFinite(left) ? duration(left) : '-'],
      ['memory at most', last?.peakRssBytes === undefined ? '-' : gib(last.peakRssBytes)],
      ['predicted', predicted === undefined ? '-' : gib(predicted)],
      ['learning rate', last?.learningRate === undefined ? '-' : last.learningRate.toPrecision(3)],
    ];
    this.facts.replaceChildren(
      ...facts.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
    );
  }

  /** The layers of a step side by side, as wide as the time they are expected to take. */
  private showLayers(): void {
    const layers = this.run?.layers ?? [];
    const all = layers.reduce((sum, { seconds }) => sum + seconds, 0);
    if (all === 0) return;
    const bars = layers.map(({ layer, seconds }, n) => {
      const text = `${layer}: ${(1000 * seconds).toPrecision(3)} ms, ${((100 * seconds) / all).toFixed(1)} %`;
      const bar = make('div', { title: text }, layer);
      bar.style.flex = `${seconds / all} 0 0`;
      bar.style.background = `hsl(${(37 * n) % 360} 45% 65%)`;
      return bar;
    });
    this.layers.replaceChildren(
      make('h2', {}, `kernels of a step by layer, as planned: ${(1000 * all).toPrecision(3)} ms`),
      make('div', { class: 'layers' }, ...bars),
    );
  }

  /** One case at a time: of the checkpoints that come meanwhile the last one counts. */
  private sampleNow(): void {
    this.missed = this.busy;
    if (this.busy) return;
    this.busy = true;
    this.showSample()
      .catch((error: Error) => tell(error.message, true))
      .finally(() => {
        this.busy = false;
        if (this.missed) this.sampleNow();
      });
  }

  private async showSample(): Promise<void> {
    tell('segmenting');
    const response = await fetch(`api/sample?source=${this.source}`);
    if (!response.ok) throw new Error((await response.text()).trim());
    const sample: ShownSample = await response.json();
    const image = make('img', { src: sample.picture.url, alt: `${sample.case} with truth and prediction` });
    image.style.maxWidth = '100%';
    this.sample.replaceChildren(image);
    tell('');
  }
}

/** Undefined for a text that is no line of a log. */
function lineOf(text: string): Logged | undefined {
  try {
    const line = JSON.parse(text) as Logged;
    return ['step', 'validation', 'warning'].includes(line.kind) ? line : undefined;
  } catch {
    return undefined;
  }
}

function said(line: Logged): string {
  if (line.kind === 'warning') return `step ${line.step}: warning: ${line.text}`;
  const scores = Object.entries(scoresOf(line))
    .map(([name, score]) => `${name} ${score === null ? '-' : score.toFixed(3)}`)
    .join(', ');
  const what = line.kind === 'validation' ? 'validation ' : '';
  return `step ${line.step}: ${what}loss ${line.loss?.toFixed(4) ?? '-'}, ${scores}`;
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
