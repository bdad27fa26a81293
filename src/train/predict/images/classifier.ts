import { type Box, fail, type Graph, type StopSignal } from '../../../core/index.ts';
import { type Case, openScanSource, planScan, type Shape3 } from '../../../imaging/index.ts';
import { alone, loadDevice, type Processes } from '../../../machine/index.ts';
import { type Plan, planOf, predictPeak } from '../../../plan/index.ts';
import { type Loaded, type Session, together } from '../../../run/index.ts';
import { meshOf, type TrainConfig } from '../../config/config.ts';
import { availableBytes, grantedBytes } from '../../config/memory-room.ts';
import { predictionGraph, prepareOptions, sessionOf, targetOf, withinMemory } from '../../config/model.ts';
import { checkKind, checkPlane, outermostAxis } from '../../config/plane.ts';
import { Programs } from '../../config/programs.ts';
import { classifies } from '../../config/task/task.ts';
import { withSplit } from '../../config/with-split.ts';
import { filesOfRun, type RunFolder } from '../../record/run-folder.ts';
import { checkSameCheckpoint } from '../../record/same-files.ts';
import { interleaved } from '../../samples/interleaved.ts';
import { type FlipAxis, flippedImage, flipsOf } from '../flips.ts';
import { checkpointOf, configOfRun, type RunOptions } from '../open-run.ts';
import { bytesBeside } from '../predict-outputs.ts';
import { loadWeights } from '../segmenter.ts';
import { voxelBox } from '../volume-parts.ts';

/** How images are looked at. */
export interface ClassifySettings {
  /** Axes that are also turned around: probabilities are the mean over all ways to do so. */
  readonly flips?: readonly FlipAxis[];
  /** Ends it between two passes of the network, with the signal's reason as the error. */
  readonly signal?: StopSignal;
  /** Told what somebody should look at in the header of a scan. */
  readonly onNote?: (note: string) => void;
}

/** A session with the variables of the checkpoint, for a mesh. */
interface Opened {
  readonly key: string;
  readonly session: Session;
  readonly programs: Programs;
}

/** A trained network that tells the classes of images as wholes. */
export class Classifier {
  readonly folder: RunFolder;
  readonly classes: readonly string[];
  readonly checkpoint: 'best' | 'latest';
  /** Files of the run: nothing may be written over them. */
  readonly reads: readonly string[];
  private current: TrainConfig;
  private readonly file: string;
  private readonly options: RunOptions;
  private readonly granted: number;
  private readonly processes: Processes;
  private opened: Opened | undefined;
  private trained: number | undefined;

  private constructor(
    parts: Pick<Classifier, 'folder' | 'config' | 'classes' | 'checkpoint'> & {
      readonly file: string;
      readonly granted: number;
    },
    options: RunOptions,
  ) {
    const { folder, config, classes, checkpoint, file, granted } = parts;
    this.folder = folder;
    this.current = config;
    this.classes = classes;
    this.checkpoint = checkpoint;
    this.reads = filesOfRun(folder);
    this.file = file;
    this.granted = granted;
    this.options = options;
    this.processes = options.processes ?? alone(meshOf(config).mesh.size);
  }

  /** Opens the folder of a run; all processes call it. Throws HalomeshError for a run that tells voxels apart, or has no checkpoint. */
  static async open(options: RunOptions): Promise<Classifier> {
    const { processes } = options;
    const { folder, config } = await configOfRun(options);
    if (!classifies(config))
      fail({ where: options.run, problem: 'tells the classes of voxels, not those of whole images' });
    if (options.wholeVolume)
      fail({
        where: options.run,
        problem: 'sees whole images in any case',
        hint: 'Leave out --whole-volume',
      });
    await loadDevice(config.device);
    const { classes } = config;
    if (classes === undefined)
      return fail({
        where: `${folder.config} "classes"`,
        problem: 'expected names of classes, found nothing',
      });
    const { checkpoint, file } = await together(processes ?? alone(1), 'the run', () =>
      checkpointOf(folder, options.checkpoint),
    );
    if (processes) await checkSameCheckpoint(processes, file);
    const granted = await grantedBytes(processes);
    return new Classifier({ folder, config, classes, checkpoint, file, granted }, options);
  }

  /** With the split that was chosen, where that is left to the program. */
  get config(): TrainConfig {
    return this.current;
  }

  /** Steps that the network was trained for; known after the first image. */
  get step(): number | undefined {
    return this.trained;
  }

  /** Gives its memory back. */
  free(): void {
    this.opened?.session.close();
    this.opened?.session.device.close();
    this.opened = undefined;
  }

  /**
   * The probabilities of the classes for an image as a whole, in one pass for each way to turn it; all processes call it and have them. Each
   * reads what its ranks need.
   */
  async classify(entry: Case, { flips = [], signal, onNote }: ClassifySettings = {}): Promise<number[]> {
    const { processes } = this;
    const all = flipsOf(flips);
    const plan = await together(this.options.processes, 'the scan', () => {
      checkKind(this.current, entry);
      return planScan(entry, prepareOptions(this.current));
    });
    const { shape } = plan.geometry;
    checkPlane(this.current, shape, entry.image);
    const program = await this.program(shape, bytesBeside(plan));
    const [rank] = processes.ranks[processes.index];
    const { own } = program.plan.program.inputs.get('image')!;
    // A rank that is alone on its process, and turns nothing around, reads no more than its own part.
    const part = processes.ranks.length > 1 && all.length === 1 ? voxelBox(own[rank]) : undefined;
    const source = await together(this.options.processes, 'the scan', () =>
      openScanSource(entry, prepareOptions(this.current), part),
    );
    for (const note of new Set([...plan.notes, ...source.notes])) onNote?.(note);
    const sums = new Float64Array(this.classes.length);
    for (const flip of all) {
      signal?.throwIfAborted();
      const read = (box: Box) =>
        interleaved(box[4], (channel) => flippedImage(source, flip, channel)(voxelBox(box)));
      const { probabilities } = await program.run({ image: read });
      for (let cls = 0; cls < sums.length; cls++) sums[cls] += Number(probabilities[cls]) / all.length;
    }
    return [...sums];
  }

  /** The program for images of a size, in parts that take turns where the memory asks for them. */
  private async program(shape: Shape3, hostBytes: number): Promise<Loaded> {
    const { classes, options } = this;
    const placed = await withSplit(this.current, {
      ...{ shape, batch: 1, hostBytes, processes: options.processes },
      graph: (size) => predictionGraph(this.current, classes.length, size).graph,
    });
    this.current = placed.config;
    if (placed.why) options.onSplit?.(placed.why);
    const { graph } = predictionGraph(this.current, classes.length, shape);
    const { config, plan } = this.fitting(graph, hostBytes);
    const { mesh, layout } = meshOf(config);
    const key = JSON.stringify([mesh, layout]);
    const name = `classify ${shape.join('x')}`;
    if (this.opened?.key === key) return this.opened.programs.get(name, () => plan ?? graph, hostBytes);
    this.free();
    const session = sessionOf(config, {
      ...{ tracer: options.tracer, processes: options.processes, grantedBytes: this.granted },
    });
    const programs = new Programs(session);
    try {
      // The first program brings the variables.
      const program = await programs.get(name, () => plan ?? graph, hostBytes);
      this.trained = await loadWeights(this.file, session.variables);
      this.opened = { key, session, programs };
      return program;
    } catch (error) {
      session.close();
      session.device.close();
      throw error;
    }
  }

  /** The config with the parts that memory asks for, where it names no mesh: those of its limit, else of what is free. */
  private fitting(graph: Graph, hostBytes: number): { config: TrainConfig; plan?: Plan } {
    const config = this.current;
    const { mesh, layout } = meshOf(config);
    if (mesh.size > 1 || this.processes.ranks.length > 1) return { config };
    const plan = planOf({ graph, hostBytes }, mesh, layout, targetOf(config), {});
    const most = config.memoryLimit ?? availableBytes(config, this.granted, 1);
    if (predictPeak(plan, hostBytes) <= most) return { config, plan };
    const limited = { ...config, memoryLimit: most };
    const fitted = withinMemory(limited, () => [{ graph, hostBytes }], outermostAxis(config));
    return { config: fitted.config, plan: fitted.plans?.[0] };
  }
}
