import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fail, HalomeshError } from '../core/index.ts';
import { inNaturalOrder, sameForm } from '../files/index.ts';
import {
  type Case,
  channelFiles,
  type DatasetPatterns,
  hasStructureCases,
  isPictureName,
  isStore,
  openDataset,
  withStoredChannels,
} from '../imaging/index.ts';
import { configOfFolder, readRunPlan, runFolder } from '../train/index.ts';
import { CaseFiles } from './case-files.ts';
import { type EvaluationShown, evaluationIn } from './evaluation-file.ts';
import {
  idOfName,
  isLabelsName,
  isLabelsOf,
  isOutlines,
  isScanName,
  type KnownCase,
  nameOf,
} from './known-case.ts';
import { lesionPlaces } from './lesion-places.ts';
import { codesOfSegmentations, Names } from './names.ts';
import { OpenedFiles } from './opened-files.ts';
import type { LesionPlaces, ShownRun, ShownSample, ShownSource, ViewData } from './protocol.ts';
import { Samples } from './sample.ts';
import { ShownFiles } from './shown-files.ts';
import { outlineClasses } from './slides/outline-classes.ts';
import { Slides } from './slides/slides.ts';

export interface ViewOptions {
  /** Folders of runs, of segmentations, of data sets or of scans; files of scans. */
  readonly paths: readonly string[];
  /** Folders with a label map for each case, or a label map for the one scan that is opened. */
  readonly predictions?: readonly string[];
  /** Label map of the one scan that is opened. */
  readonly truth?: string;
}

/** What is opened to be looked at: the cases, what is known of them, and the files that may be fetched. */
export class View {
  readonly opened = new OpenedFiles();
  /** Folders of runs, by the numbers of their sources. */
  private readonly runs = new Map<number, string>();
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'halomesh-view-'));
  /** Slides, by tiles. */
  readonly slides = new Slides(this.opened, this.folder);
  private readonly files = new ShownFiles(this.opened, this.folder);
  private readonly sources: ShownSource[] = [];
  private readonly cases = new Map<string, KnownCase>();
  private readonly notes: string[] = [];
  private readonly names = new Names();
  private readonly caseFiles = new CaseFiles(this.files, this.slides, () => this.names.classes);
  /** One count of lesions at a time: each holds two label maps. */
  private counting: Promise<unknown> = Promise.resolve();
  private readonly samples = new Samples(this.folder);

  /** Opens folders and files; reads no voxels. Throws HalomeshError for what is none of those that can be shown. */
  static async open(options: ViewOptions): Promise<View> {
    const view = new View();
    try {
      view.opened.openRoot(view.folder);
      for (const one of options.paths) await view.add(one);
      await view.addGiven(options);
      if (view.names.classes.length === 0)
        view.names.takeOutlines(await outlineClasses(view.cases.values(), view.opened));
      return view;
    } catch (error) {
      view.close();
      throw error;
    }
  }

  /** Removes the files that were made. */
  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Everything but voxels. The cases come in natural order. */
  get data(): ViewData {
    const cases = [...this.cases.values()].sort((a, b) => inNaturalOrder(a.id, b.id));
    return {
      title: this.sources.map(({ name }) => name).join(', '),
      classes: this.names.classes,
      channels: this.names.channels,
      regions: this.names.regions,
      sources: this.sources,
      cases: cases.map((one) => this.caseFiles.shown(one)),
      notes: this.notes,
    };
  }

  /** Where the lesions of a case are; undefined where it has no truth or the source no segmentation. */
  lesions(id: string, source: number): Promise<LesionPlaces | undefined> {
    const known = this.cases.get(id);
    const file = known?.results.find((result) => result.source === source && result.file)?.file;
    const { counted } = this.names;
    // The whole label maps of slides are nowhere in memory.
    if (known?.truth === undefined || file === undefined || counted === undefined || known.slide)
      return Promise.resolve(undefined);
    const { truth, codes } = known;
    const next = this.counting.then(async () => {
      const real = await this.files.labelMap(truth, codes);
      const found = await this.files.labelMap(file, codesOfSegmentations(codes), real);
      return lesionPlaces(real, found, counted);
    });
    this.counting = next.catch(() => undefined);
    return next;
  }

  /** What a run in progress changes: its log and its newest checkpoint; undefined where the source is none. */
  followedOf(source: number): { readonly log: string; readonly checkpoint: string } | undefined {
    const given = this.runs.get(source);
    return given === undefined
      ? undefined
      : { log: runFolder(given).log, checkpoint: runFolder(given).latest };
  }

  /** What is known of a run beside its log; undefined where the source is none. */
  async run(source: number): Promise<ShownRun | undefined> {
    const given = this.runs.get(source);
    if (given === undefined) return undefined;
    const folder = runFolder(given);
    const { steps } = await configOfFolder(folder);
    const plan = await readRunPlan(folder);
    return { steps, predictedPeakBytes: plan?.predictedPeakBytes, layers: plan?.layers };
  }

  /** A case as the newest checkpoint of a run segments it now; undefined where the source is none. */
  sample(source: number): Promise<ShownSample | undefined> {
    const given = this.runs.get(source);
    if (given === undefined) return Promise.resolve(undefined);
    return this.samples
      .next(given)
      .then(({ case: id, file }) => ({ case: id, picture: this.files.picture(file) }));
  }

  private async add(given: string): Promise<void> {
    const found = statSync(given, { throwIfNoEntry: false });
    if (found === undefined) fail({ where: given, problem: 'no such file or folder' });
    this.opened.openRoot(given);
    if (!found!.isDirectory()) return this.addScan(given);
    const run = runFolder(given);
    if (existsSync(run.config) || existsSync(run.latest)) return this.addRun(given);
    const scored = await evaluationIn(given);
    if (scored !== undefined) return this.addSegmentations(given, scored);
    if (
      existsSync(path.join(given, 'dataset.json')) ||
      existsSync(path.join(given, 'imagesTr')) ||
      isStore(given) ||
      (await hasStructureCases(given))
    ) {
      this.sources.push({ name: nameOf(given), run: false });
      return this.addDataset(given, {});
    }
    const scans = readdirSync(given).filter(isScanName).sort(inNaturalOrder);
    this.sources.push({ name: nameOf(given), run: false });
    if (scans.length === 0) return this.addScan(given);
    for (const name of scans) this.addScan(path.join(given, name), false);
  }

  private addScan(file: string, own = true): void {
    if (own) this.sources.push({ name: nameOf(file), run: false });
    this.case(idOfName(path.basename(file)), { images: [{ file }], slide: isPictureName(file) });
  }

  private async addRun(given: string): Promise<void> {
    const folder = runFolder(given);
    const source = this.sources.length;
    this.sources.push({ name: nameOf(given), run: true });
    this.runs.set(source, given);
    const config = await configOfFolder(folder, (text) => this.notes.push(text));
    this.names.takeRun(config);
    const evaluation = path.join(given, 'evaluation');
    const scored = await evaluationIn(evaluation);
    await this.addDataset(
      scored?.data ?? config.data,
      scored === undefined || scored.data === config.data ? config : {},
    );
    if (scored !== undefined) this.addScores(source, scored, evaluation);
    const predictions = path.join(given, 'predictions');
    if (existsSync(predictions)) this.addLabels(source, predictions);
  }

  private async addSegmentations(given: string, scored: EvaluationShown): Promise<void> {
    const source = this.sources.length;
    this.sources.push({ name: nameOf(given), run: false });
    await this.addDataset(scored.data, {});
    this.addScores(source, scored, given);
    this.addLabels(source, given);
  }

  /** Its cases; a data set that cannot be opened is noted, as what is known besides can be shown. */
  private async addDataset(dir: string, patterns: DatasetPatterns): Promise<void> {
    try {
      const dataset = await openDataset(dir, patterns);
      this.opened.openRoot(dir);
      this.names.takeDataset(dataset);
      const channels = dataset.channelNames?.length ?? 1;
      for (const entry of [...dataset.cases, ...dataset.test])
        this.addCase(withStoredChannels(entry, channels), dataset.pictures);
    } catch (error) {
      if (!(error instanceof HalomeshError)) throw error;
      this.notes.push(error.message);
    }
  }

  private addCase(entry: Case, slide: boolean | undefined): void {
    const { id, series, label, labelCodes } = entry;
    const images = channelFiles(entry).map((channel) => ({ ...channel, series }));
    this.case(id, { images, truth: label, codes: labelCodes, slide });
  }

  private addScores(source: number, scored: EvaluationShown, folder: string): void {
    this.names.takeScores(scored);
    const { cases } = scored;
    for (const [id, { kind, scores, lesions }] of cases) {
      const known = this.case(id);
      known.kind ??= kind;
      const picture = path.join(folder, 'overlays', `${id}.png`);
      known.results.push({
        ...{ source, scores, lesions },
        overlay: existsSync(picture) ? this.files.picture(picture) : undefined,
      });
    }
  }

  /** The label maps of a folder, by the ids of cases that are known. */
  private addLabels(source: number, folder: string): void {
    const names = readdirSync(folder).filter(isLabelsName);
    // Outlines come first: where there is a label map, too, that is shown.
    for (const name of [...names.filter(isOutlines), ...names.filter((one) => !isOutlines(one))]) {
      const known = this.cases.get(sameForm(idOfName(name)));
      const file = path.join(folder, name);
      if (known !== undefined && isLabelsOf(known, file)) this.addLabelMap(source, known, file);
    }
  }

  private addLabelMap(source: number, known: KnownCase, file: string): void {
    const labels = this.caseFiles.segmentation(known, file);
    const n = known.results.findIndex((result) => result.source === source);
    if (n < 0) known.results.push({ source, labels, file });
    else known.results[n] = { ...known.results[n], labels, file };
  }

  private async addGiven({ predictions = [], truth }: ViewOptions): Promise<void> {
    const only = this.cases.size === 1 ? [...this.cases.values()][0] : undefined;
    for (const given of predictions) {
      const found = statSync(given, { throwIfNoEntry: false });
      if (found === undefined) fail({ where: given, problem: 'no such file or folder' });
      this.opened.openRoot(given);
      const source = this.sources.length;
      this.sources.push({ name: nameOf(given), run: false });
      if (found!.isDirectory()) {
        const scored = await evaluationIn(given);
        if (scored !== undefined) this.addScores(source, scored, given);
        this.addLabels(source, given);
      } else if (only === undefined)
        fail({
          where: given,
          problem: 'one label map belongs to one scan',
          found: `${this.cases.size} scans`,
          hint: 'Give a folder with a label map for each case',
        });
      else this.addLabelMap(source, only, given);
    }
    if (truth === undefined) return;
    if (only === undefined)
      fail({ where: '--truth', problem: 'belongs to one scan', found: `${this.cases.size} scans` });
    if (!existsSync(truth)) fail({ where: truth, problem: 'no such file' });
    this.opened.openRoot(truth);
    this.cases.set(only!.id, { ...only!, truth });
  }

  /** The case of an id, known from now on. */
  private case(given: string, more: Partial<KnownCase> = {}): KnownCase {
    const { images = [], truth, codes, slide } = more;
    const id = sameForm(given);
    const before = this.cases.get(id);
    const known: KnownCase = {
      ...{ id, kind: before?.kind, results: before?.results ?? [] },
      images: before?.images.length ? before.images : images,
      truth: before?.truth ?? truth,
      codes: before?.codes ?? codes,
      slide: before?.slide ?? slide,
    };
    this.cases.set(id, known);
    return known;
  }
}
