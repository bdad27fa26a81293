import { fail, Graph, type Layout, type Mesh, mesh as makeMesh, showMesh } from '../core/index.ts';
import { HOST_FIXED } from '../machine/host.ts';
import type { Device, HostArray, Memory, Processes, Spill, Traffic, World } from '../machine/index.ts';
import { alone } from '../machine/local.ts';
import {
  checkSplits,
  explainPlan,
  formatPlan,
  makePlan,
  type Plan,
  predictPeak,
  type Region,
} from '../plan/index.ts';
import { agree, planText } from './agree.ts';
import { checkMemory, checkSize } from './checks.ts';
import { Executable } from './executable.ts';
import type { Feed } from './host-parts.ts';
import { type OutputPart, ownParts, wholeOutput } from './outputs.ts';
import type { Binding } from './prepare.ts';
import type { Tracer } from './tracer.ts';
import { Turns } from './turns.ts';
import { Variables } from './variables.ts';
import { Worked } from './worked.ts';

const CLOSED = { where: 'session', problem: 'was closed while a program was loaded' };

export interface SessionOptions {
  readonly device: Device;
  readonly mesh?: Mesh;
  readonly layout?: Layout;
  /** The processes that run the ranks of the mesh; this one alone by default. */
  readonly processes?: Processes;
  /** Seed of initial variables. */
  readonly seed?: number;
  /** Collects where the time of every run goes. */
  readonly tracer?: Tracer;
  /** Resident bytes of the process at most; what does not fit is recomputed and spilled. */
  readonly memoryLimit?: number;
  /** Bytes that this process may have at most; by default what the device says. */
  readonly grantedBytes?: number;
  /** Folder of the file that holds what is spilled: on a disk, not in memory. By default the system's folder for such files. */
  readonly spillFolder?: string;
  /** What is told on the terminal: 1 the plan of each program, 2 also every operation, 3 also what it reads and writes. */
  readonly debug?: number;
  /** Whether it is told how long the device works in a run. */
  readonly timed?: boolean;
}

/**
 * Does what takes long in one piece (plans, compares label maps), seconds in which a process hears of no signal unless somebody sees to
 * it. A piece begins no file.
 */
export type InOnePiece = <T>(piece: () => T | Promise<T>) => Promise<T>;

/** {@link InOnePiece} that sees to nothing. */
export const plainly: InOnePiece = async (piece) => piece();

/** What a program is loaded with. */
export interface LoadOptions {
  /** What traces call its runs. */
  readonly name?: string;
  /** Bytes of images that the process holds beside the tensors; they count against the memory limit. */
  readonly hostBytes?: number;
  /** Boxes of the outputs to compute and nothing else, in a session of one rank; all of every output by default. */
  readonly region?: Region;
  /** Whether ranks may own nothing, as of a volume smaller than the one that the split was chosen for; refused by default. */
  readonly idleRanks?: boolean;
}

/** A program that is planned, placed and ready to run. */
export interface Loaded {
  readonly plan: Plan;
  /**
   * Runs the program once on all ranks. `inputs`, by name: whole arrays, row-major, or functions that give boxes of them; gives
   * the wanted outputs, whole.
   */
  run(
    inputs: Readonly<Record<string, Feed>>,
    outputs?: readonly string[],
  ): Promise<Record<string, HostArray>>;
  /** As `run`, but each process gets the boxes that its own ranks computed; no process gets a whole output. */
  runParts(
    inputs: Readonly<Record<string, Feed>>,
    outputs?: readonly string[],
  ): Promise<Record<string, readonly OutputPart[]>>;
  /** Gives its arenas back. Safe twice. */
  free(): void;
}

/** The ranks of this process, their device and their variables. Programs loaded into one session share variables by name. */
export class Session {
  readonly device: Device;
  readonly mesh: Mesh;
  readonly layout: Layout;
  readonly variables: Variables;
  readonly world: World;
  /** How long the device worked, where that is asked for. */
  readonly worked: Worked | undefined;
  /** Arenas that all ranks and all loaded programs share: they run one at a time, so the largest decides. */
  private readonly arenas: Memory[] = [];
  private spill: Spill | undefined;
  private readonly programs = new Set<Loaded>();
  /** Programs that are being loaded, and how often the session was closed. */
  private loading = 0;
  private closes = 0;
  private readonly options: SessionOptions;

  constructor(options: SessionOptions) {
    const { device, mesh = makeMesh({}), layout = {}, seed = 0, timed = false } = options;
    this.options = options;
    this.device = device;
    this.mesh = mesh;
    this.layout = layout;
    const processes = options.processes ?? alone(mesh.size);
    checkSize(processes, mesh);
    this.world = processes.world(device);
    this.variables = new Variables(device, seed, processes);
    this.worked = timed ? new Worked(device) : undefined;
  }

  get tracer(): Tracer | undefined {
    return this.options.tracer;
  }

  /** What this process has sent so far. */
  get traffic(): Readonly<Traffic> {
    return this.world.traffic;
  }

  /**
   * Plans a graph, unless it is planned already, gives it memory on every rank and has its kernels prepared. Programs of one session
   * share arenas: run one at a time. A plan is one for the session's device, mesh, layout, processes and memory limit.
   */
  async load(what: Graph | Plan, options?: LoadOptions): Promise<Loaded> {
    this.loading++;
    try {
      const { closes } = this;
      if (this.world.ready !== undefined) await this.world.ready();
      if (this.closes !== closes) fail(CLOSED);
      if (this.tracer !== undefined) this.tracer.transport = this.world.transport;
      return await this.place(what, options);
    } finally {
      this.loading--;
    }
  }

  private async place(
    what: Graph | Plan,
    { name, hostBytes = 0, region, idleRanks = false }: LoadOptions = {},
  ): Promise<Loaded> {
    // Planning takes the longer the more parts there are.
    if (what instanceof Graph && !idleRanks) checkSplits(what, this.mesh, this.layout);
    const { memoryLimit, debug = 0 } = this.options;
    const { ranks: processRanks, machines, index } = this.world.processes;
    const plan =
      what instanceof Graph
        ? makePlan(what, this.mesh, this.layout, this.device.target, {
            processRanks,
            machines,
            memoryLimit,
            hostBytes,
            region,
          })
        : this.suited(what);
    if (debug >= 1 && index === 0) console.error(formatPlan(explainPlan(plan, hostBytes)));
    this.checkFits(predictPeak(plan, hostBytes));
    if (!plan.target.spaces.tensors.ofHost)
      checkMemory(HOST_FIXED.process + hostBytes + plan.memory.spillBytes[index], this.options.grantedBytes);
    const arenaBytes = plan.memory.arenaBytes[index];
    const spillBytes = plan.memory.spillBytes[index];
    if (spillBytes > 0) this.spillOf(spillBytes);
    const ranks = processRanks[index];
    this.variables.admit(plan, ranks);
    const arena = this.arena(arenaBytes);
    const spill = () => this.spillOf(spillBytes);
    const { device, variables, world, closes } = this;
    const parts = { plan, device, variables, arena, spill, world, debug };
    const executables = await bindAll(
      ranks.map((rank) => ({ ...parts, rank })),
      () => this.closes === closes,
    );
    const turns = new Turns(executables, this.world);
    let agreed = false;
    const all = [...plan.program.outputs.keys()];
    const compute = async (inputs: Readonly<Record<string, Feed>>): Promise<void> => {
      for (const name of plan.program.inputs.keys())
        if (inputs[name] === undefined) fail({ where: `input "${name}"`, problem: 'no value was given' });
      if (!agreed)
        await agree(this.world.processes, `the plan of ${name ?? 'a program'}`, () => planText(plan));
      agreed = true;
      this.variables.ready();
      for (const e of executables) await e.feed(inputs);
      this.tracer?.beginRun(name);
      const run = () => turns.run(this.tracer);
      await (this.worked === undefined ? run() : this.worked.during(run));
      this.tracer?.endRun();
    };
    const loaded: Loaded = {
      plan,
      run: async (inputs, outputs = all) => {
        await compute(inputs);
        const found: Record<string, HostArray> = {};
        for (const name of outputs) found[name] = await wholeOutput(executables, this.world.processes, name);
        return found;
      },
      runParts: async (inputs, outputs = all) => {
        await compute(inputs);
        const found: Record<string, readonly OutputPart[]> = {};
        for (const name of outputs) found[name] = await ownParts(executables, name);
        return found;
      },
      free: () => {
        if (!this.programs.delete(loaded)) return;
        for (const e of executables) e.free();
        if (this.programs.size === 0 && this.loading === 0) this.freeArenas();
      },
    };
    this.programs.add(loaded);
    return loaded;
  }

  /** Refuses a program that takes more of the memory of tensors than the process may have of it. */
  checkFits(peak: number): void {
    const { tensors } = this.device.target.spaces;
    if (tensors.ofHost) checkMemory(peak, this.options.grantedBytes ?? this.device.granted?.());
    else checkMemory(peak, this.device.granted?.(), `what is free of the ${tensors.name}`);
  }

  /** What a plan was made for must be what it runs on: places of tensors follow from it. */
  private suited(plan: Plan): Plan {
    const { device, mesh, layout, world } = this;
    const expected = placeText(device.target.name, mesh, layout, world.processes.ranks);
    const found = placeText(plan.device, plan.program.mesh, plan.layout, plan.memory.processRanks);
    if (found === expected) return plan;
    return fail({
      where: 'plan',
      problem: 'was made for another device, mesh, layout or processes',
      expected,
      found,
    });
  }

  /** Gives back what is held for programs, variables and messages. The device stays open. */
  close(): void {
    this.closes++;
    for (const program of [...this.programs]) program.free();
    this.freeArenas();
    this.world.close();
    this.variables.free();
  }

  private freeArenas(): void {
    // What still moves bytes uses the arena.
    this.spill?.close();
    this.spill = undefined;
    for (const arena of this.arenas) this.device.free(arena);
    this.arenas.length = 0;
  }

  /**
   * An arena that a program fits. Addresses are kept for as much as the machine has, so that later programs fit the first one;
   * where the system grants no more than is needed now, a larger program gets an arena of its own.
   */
  private arena(bytes: number): Memory {
    const known = this.arenas.find((arena) => arena.bytes >= bytes);
    if (known !== undefined) return known;
    const made = this.device.allocate(bytes, Math.max(bytes, this.device.granted?.() ?? 0));
    this.arenas.push(made);
    return made;
  }

  /** The room that a program's spilled tensors fit. Nothing in it outlives a run. */
  private spillOf(bytes: number): Spill {
    if (this.spill !== undefined && this.spill.bytes >= bytes) return this.spill;
    this.spill?.close();
    this.spill = this.device.openSpill(this.options.spillFolder, bytes);
    return this.spill;
  }
}

/** All ranks, or none where one cannot be bound or the session is no longer open. */
async function bindAll(all: readonly Binding[], open: () => boolean): Promise<Executable[]> {
  const bound: Executable[] = [];
  try {
    for (const parts of all) {
      bound.push(await Executable.bind(parts));
      if (!open()) fail(CLOSED);
    }
    return bound;
  } catch (error) {
    for (const executable of bound) executable.free();
    throw error;
  }
}

/** Where a plan runs, in one line. */
function placeText(device: string, mesh: Mesh, layout: Layout, ranks: Processes['ranks']): string {
  const dims = Object.entries(layout).map(([dim, axis]) => `${dim} on ${axis}`);
  return `device ${device}, mesh ${showMesh(mesh)}, layout ${dims.sort().join(' ')}, ranks of processes ${JSON.stringify(ranks)}`;
}
