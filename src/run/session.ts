import { tmpdir, totalmem } from 'node:os';
import {
  fail,
  type Graph,
  type Layout,
  type Mesh,
  mesh as makeMesh,
  rowMajorStrides,
  volume,
} from '../core/index.ts';
import {
  type Device,
  type HostArray,
  LocalWorld,
  type Memory,
  type Store,
  type Traffic,
} from '../machine/index.ts';
import { explainPlan, formatPlan, makePlan, type Plan } from '../plan/index.ts';
import { Executable } from './executable.ts';
import { State, scatter } from './state.ts';
import { debugLevel } from './trace.ts';
import type { Tracer } from './tracer.ts';
import { runInTurns } from './turns.ts';

export interface SessionOptions {
  readonly device: Device;
  readonly mesh?: Mesh;
  readonly layout?: Layout;
  /** Seed of initial variables. */
  readonly seed?: number;
  /** Collects where the time of every run goes. */
  readonly tracer?: Tracer;
  /** Resident bytes of the process at most; what does not fit is recomputed and spilled. */
  readonly memoryLimit?: number;
  /** Folder of the file that holds what is spilled: on a disk, not in memory. By default the system's folder for such files. */
  readonly spillFolder?: string;
}

/** What a program is loaded with. */
export interface LoadOptions {
  /** What traces call its runs. */
  readonly name?: string;
  /** Bytes of images that the process holds beside the tensors; they count against the memory limit. */
  readonly hostBytes?: number;
}

/** A program that is planned, placed and ready to run. */
export interface Loaded {
  readonly plan: Plan;
  /**
   * Runs the program once on all ranks. `inputs`: whole arrays, row-major, by input name; gives the wanted outputs, whole.
   */
  run(
    inputs: Readonly<Record<string, HostArray>>,
    outputs?: readonly string[],
  ): Promise<Record<string, HostArray>>;
  /** Gives its arenas back. */
  free(): void;
}

/** Ranks of one process, their device and their variables. Programs loaded into one session share variables by name. */
export class Session {
  readonly device: Device;
  readonly mesh: Mesh;
  readonly layout: Layout;
  readonly state: State;
  private readonly world: LocalWorld;
  /** Arenas that all ranks and all loaded programs share: they run one at a time, so the largest decides. */
  private readonly arenas: Memory[] = [];
  private store: Store | undefined;
  private programs = 0;
  private readonly options: SessionOptions;

  constructor(options: SessionOptions) {
    const { device, mesh = makeMesh({}), layout = {}, seed = 0 } = options;
    this.options = options;
    this.device = device;
    this.mesh = mesh;
    this.layout = layout;
    this.state = new State(device, seed);
    this.world = new LocalWorld(device, mesh.size);
  }

  get tracer(): Tracer | undefined {
    return this.options.tracer;
  }

  /** Bytes sent so far. */
  get traffic(): Readonly<Traffic> {
    return this.world.traffic;
  }

  /** Plans a graph and gives it memory on every rank. Programs of one session share arenas: run one at a time. */
  load(graph: Graph, { name, hostBytes = 0 }: LoadOptions = {}): Loaded {
    const { memoryLimit } = this.options;
    const plan = makePlan(graph, this.mesh, this.layout, this.device, { memoryLimit, hostBytes });
    if (debugLevel() >= 1) console.error(formatPlan(explainPlan(plan, hostBytes)));
    const [arenaBytes] = plan.memory.arenaBytes;
    const [storeBytes] = plan.memory.storeBytes;
    if (storeBytes > 0) this.storeOf(storeBytes);
    const ranks = Array.from({ length: this.mesh.size }, (_, rank) => rank);
    this.state.admit(plan, ranks);
    this.programs++;
    const arena = this.arena(arenaBytes);
    const store = () => this.storeOf(storeBytes);
    const executables = ranks.map(
      (rank) => new Executable(plan, this.device, rank, this.state, arena, store),
    );
    return {
      plan,
      run: async (inputs, outputs = [...plan.program.outputs.keys()]) => {
        for (const name of plan.program.inputs.keys())
          if (inputs[name] === undefined) fail({ where: `input "${name}"`, problem: 'no value was given' });
        for (const [name, whole] of Object.entries(inputs)) for (const e of executables) e.feed(name, whole);
        this.tracer?.beginRun(name);
        await runInTurns(executables, this.world, this.tracer);
        this.tracer?.endRun();
        return Object.fromEntries(outputs.map((name) => [name, assemble(executables, name)]));
      },
      free: () => {
        for (const e of executables) e.free();
        if (--this.programs > 0) return;
        // A store that still moves bytes uses the arena.
        this.store?.close();
        this.store = undefined;
        for (const arena of this.arenas) this.device.free(arena);
        this.arenas.length = 0;
      },
    };
  }

  /**
   * An arena that a program fits. Addresses are kept for as much as the machine has, so that later programs fit the first one;
   * where the system grants no more than is needed now, a larger program gets an arena of its own.
   */
  private arena(bytes: number): Memory {
    const known = this.arenas.find((arena) => arena.bytes >= bytes);
    if (known !== undefined) return known;
    const made = this.device.allocate(bytes, Math.max(bytes, totalmem()));
    this.arenas.push(made);
    return made;
  }

  /** A store that a program fits. Nothing in it outlives a run. */
  private storeOf(bytes: number): Store {
    if (this.store !== undefined && this.store.bytes >= bytes) return this.store;
    this.store?.close();
    this.store = this.device.openStore(this.options.spillFolder ?? tmpdir(), bytes);
    return this.store;
  }
}

/** A whole output from the parts that the ranks own, one part at a time. */
function assemble(executables: readonly Executable[], name: string): HostArray {
  let whole: HostArray | undefined;
  for (const executable of executables) {
    const { value, data } = executable.result(name);
    const size = volume(value.shape);
    if (data.length === size) return data;
    whole ??= new (data.constructor as new (length: number) => HostArray)(size);
    scatter(data, value.own[executable.rank], whole, rowMajorStrides(value.shape.map((dim) => dim.size)));
  }
  return whole!;
}
