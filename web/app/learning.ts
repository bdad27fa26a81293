import type { LearnedStep } from '../../src/app/learn.ts';
import type { PrepareOptions } from '../../src/imaging/volume/prepared-case.ts';
import type { OpenWebRun } from '../../src/train/record/web-run.ts';
import { Curves } from '../src/curves.ts';
import { byId, make, tell } from '../src/dom.ts';
import { droppedFiles, handOut, pathsOf } from './files.ts';
import type { Kernels } from './protocol.ts';
import { type Work, work } from './work.ts';

/** How the values of a scan are brought to those that a network sees. */
const VALUES: Readonly<Record<string, Pick<PrepareOptions, 'window' | 'normalizations'>>> = {
  'CT, soft tissue': { window: { lower: -160, upper: 240 } },
  'CT, -512 to 512 HU': { window: { lower: -512, upper: 512 } },
  'any other: mean 0, deviation 1': { normalizations: [{ kind: 'zscore' }] },
};

/** What the page has for it. */
export interface LearningParts {
  /** Files of the scan. */
  readonly scan: () => ReadonlyMap<string, File> | undefined;
  readonly kernels: () => Kernels;
  readonly onLearned: (opened: OpenWebRun) => void;
  readonly failed: (error: unknown) => void;
}

const input = (id: string): HTMLInputElement => byId<HTMLInputElement>(id);

/** Where a network learns from the scan of the page and its label map, with its curves. */
export class Learning {
  private readonly parts: LearningParts;
  private readonly curves = new Curves();
  private truth: ReadonlyMap<string, File> | undefined;
  private steps: LearnedStep[] = [];
  private going: Work | undefined;
  private due = false;
  private hasScan = false;

  constructor(parts: LearningParts) {
    this.parts = parts;
    byId('curves').append(this.curves.element);
    this.curves.element.hidden = true;
    for (const name of Object.keys(VALUES)) byId('values').append(make('option', { value: name }, name));
    input('truth').addEventListener('change', () => this.take(pathsOf(input('truth').files ?? [])));
    const section = byId('learning');
    section.addEventListener('drop', (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer !== null)
        droppedFiles(event.dataTransfer).then((files) => this.take(files), parts.failed);
    });
    byId('learn').addEventListener('click', () => this.learn().catch(parts.failed));
    byId('end').addEventListener('click', () => this.going?.end());
  }

  /** Told whether there is a scan to learn from. */
  enable(hasScan: boolean): void {
    this.hasScan = hasScan;
    const can = hasScan && this.truth !== undefined && this.going === undefined;
    byId<HTMLButtonElement>('learn').disabled = !can;
  }

  private take(files: ReadonlyMap<string, File>): void {
    this.truth = files.size === 0 ? undefined : files;
    byId('learning-facts').textContent = [...files.keys()].join(', ');
    this.enable(this.hasScan);
  }

  private async learn(): Promise<void> {
    const { truth, parts } = this;
    const files = parts.scan();
    if (truth === undefined || files === undefined || this.going !== undefined) return;
    const steps = whole('steps');
    const spacing = input('spacing').value === '' ? undefined : Number(input('spacing').value);
    const names = input('names')
      .value.split(',')
      .map((name) => name.trim());
    const kernels = parts.kernels();
    this.steps = [];
    this.curves.element.hidden = false;
    byId('save-run').hidden = true;
    delete document.body.dataset.learned;
    tell('learning');
    this.going = work(
      {
        ...{ kind: 'learn', files, truth, steps, base: whole('base'), augment: input('augment').checked },
        ...kernels,
        prepare: { ...VALUES[byId<HTMLSelectElement>('values').value], ...(spacing && { spacing }) },
        ...(names.some((name) => name !== '') && { names }),
      },
      (step) => {
        if (step.kind !== 'step') return;
        this.steps.push(step);
        this.draw(steps, kernels.budget);
      },
    );
    this.enable(this.hasScan);
    byId('end').hidden = false;
    try {
      const said = await this.going.done;
      if (said?.kind !== 'learned') return;
      const { opened, file } = said;
      const { name, step } = opened.run;
      byId('save-run').onclick = () => handOut(new Blob([file]), `${name}.safetensors`);
      byId('save-run').hidden = false;
      this.going = undefined;
      parts.onLearned(opened);
      document.body.dataset.learned = `${step}`;
      tell(`learned in ${step} steps: it can segment this scan and others`);
    } finally {
      this.going = undefined;
      byId('end').hidden = true;
      this.enable(this.hasScan);
    }
  }

  /** Once for all steps that came since the last picture of the screen. */
  private draw(all: number, budget: number): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      const { step, loss, dice, seconds, bytes } = this.steps.at(-1)!;
      this.curves.draw(this.steps, [], all);
      const scores = Object.entries(dice).map(([name, score]) => `${name} ${score?.toFixed(2) ?? '-'}`);
      byId('learning-facts').textContent = [
        `step ${step} of ${all}`,
        `loss ${loss.toFixed(4)}, Dice ${scores.join(', ')}`,
        `${seconds.toFixed(2)} s a step`,
        `memory ${mib(bytes)} of ${mib(budget)}`,
      ].join(' · ');
    });
  }
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** The whole number in a field, within what it allows. */
function whole(id: string): number {
  const { value, min, max } = input(id);
  return Math.max(Number(min), Math.min(Number(max), Math.round(Number(value)) || 1));
}
