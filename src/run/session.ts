import { totalmem } from 'node:os';
import {
  fail,
  type Graph,
  type Layout,
  type Mesh,
  mesh as makeMesh,
  rowMajorStrides,
  volume,
} from '../core/index.ts';
import { type Device, type HostArray, LocalWorld, type Memory, type Traffic } from '../machine/index.ts';
import { explainPlan, formatPlan, makePlan, type Plan } from '../plan/index.ts';
import { Executable } from './executable.ts';
import { State, scatter } from './state.ts';
import { debugLevel, type Tracer } from './trace.ts';

export interface SessionOptions {
  readonly device: Device;
  readonly mesh?: Mesh;
  readonly layout?: Layout;
  /** Seed of initial variables. */
  readonly seed?: number;
  /** Collects where the time of every run goes. */
  readonly tracer?: Tracer;
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
  /** One arena a rank for all loaded programs: they run one at a time, so the largest decides. */
  private readonly arenas: Memory[][] = [];
  private programs = 0;
  private readonly tracer: Tracer | undefined;

  constructor({ device, mesh = makeMesh({}), layout = {}, seed = 0, tracer }: SessionOptions) {
    this.tracer = tracer;
    this.device = device;
    this.mesh = mesh;
    this.layout = layout;
    this.state = new State(device, seed);
    this.world = new LocalWorld(device, mesh.size);
  }

  /** Bytes sent so far. */
  get traffic(): Readonly<Traffic> {
    return this.world.traffic;
  }

  /** Plans a graph and gives it memory on every rank. Programs of one session share arenas: run one at a time. */
  load(graph: Graph): Loaded {
    const plan = makePlan(graph, this.mesh, this.layout, this.device);
    if (debugLevel() >= 1) console.error(formatPlan(explainPlan(plan)));
    const ranks = Array.from({ length: this.mesh.size }, (_, rank) => rank);
    this.state.admit(plan, ranks);
    this.programs++;
    const executables = ranks.map(
      (rank) =>
        new Executable(plan, this.device, rank, this.state, this.arena(rank, plan.memory.arenaBytes[rank])),
    );
    return {
      plan,
      run: async (inputs, outputs = [...plan.program.outputs.keys()]) => {
        for (const name of plan.program.inputs.keys())
          if (inputs[name] === undefined) fail({ where: `input "${name}"`, problem: 'no value was given' });
        for (const [name, whole] of Object.entries(inputs)) for (const e of executables) e.feed(name, whole);
        await this.world.run((communicator) => executables[communicator.rank].run(communicator, this.tracer));
        return Object.fromEntries(outputs.map((name) => [name, assemble(executables, name)]));
      },
      free: () => {
        for (const e of executables) e.free();
        if (--this.programs > 0) return;
        for (const arena of this.arenas.flat()) this.device.free(arena);
        this.arenas.length = 0;
      },
    };
  }

  /**
   * An arena of a rank that a program fits. Addresses are kept for as much as the machine has, so that later programs fit the
   * first one; where the system grants no more than is needed now, a larger program gets an arena of its own.
   */
  private arena(rank: number, bytes: number): Memory {
    this.arenas[rank] ??= [];
    const list = this.arenas[rank];
    const known = list.find((arena) => arena.bytes >= bytes);
    if (known !== undefined) return known;
    const made = this.device.allocate(bytes, Math.max(bytes, totalmem()));
    list.push(made);
    return made;
  }
}

/** A whole output from the parts that the ranks own. */
function assemble(executables: readonly Executable[], name: string): HostArray {
  const parts = executables.map((e) => ({ ...e.result(name), rank: e.rank }));
  const { value, data } = parts[0];
  const size = volume(value.shape);
  if (data.length === size) return data;
  const whole = new (data.constructor as new (length: number) => HostArray)(size);
  const strides = rowMajorStrides(value.shape.map((dim) => dim.size));
  for (const part of parts) scatter(part.data, value.own[part.rank], whole, strides);
  return whole;
}
