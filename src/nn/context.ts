import { fail, Graph, hash32, hashText, type Shape, type Value } from '../core/index.ts';
import { assignTo, castTo, type Init, inputOf, variableOf } from '../ops/index.ts';
import { firstWeights } from './step/first-weights.ts';
import type { FirstWeights } from './step/first-weights-names.ts';

/** A variable of a model, by its path: `down0/conv0/weight`. */
export interface Parameter {
  readonly name: string;
  readonly value: Value;
  /** Changed by an optimizer; moving statistics and optimizer slots are not. */
  readonly trainable: boolean;
}

/** A variable and what it becomes at the end of a run. */
export interface StateUpdate {
  readonly variable: Value;
  readonly value: Value;
}

export interface ContextOptions {
  /** Graph to build into; a new one by default. */
  readonly graph?: Graph;
  /** Seed of all random numbers of the model. */
  readonly seed?: number;
  /** Batch statistics and dropout (true) or moving statistics and none (false). */
  readonly training?: boolean;
  /** Not training: batch statistics all the same, and the moving ones take a share of them, the graph input `share`. */
  readonly measuring?: boolean;
  /** Not training: read the running averages of the weights (see {@link averageName}) and not the weights. */
  readonly averaged?: boolean;
  /** How activations are stored. Variables are always float32. */
  readonly storage?: 'f32' | 'bf16';
  /** How weights begin; `he-normal` by default. */
  readonly first?: FirstWeights;
  /** Training: the gradients of several batches make a step, and the graph input `pass` counts batches. */
  readonly accumulating?: boolean;
  /** Scores of lower resolutions are asked for, too. */
  readonly deep?: boolean;
}

/** Name of the running average of a weight. */
export const averageName = (name: string): string => `${name}/ema`;
export const isAverage = (name: string): boolean => name.endsWith(averageName(''));

/**
 * What the layers of a model share while its graph is built: the graph, the path of the layer being built, the variables and
 * their updates. A variable's path also keys its first values, and a layer's path its random masks; so to add a layer changes
 * nothing that is random elsewhere. It knows nothing of devices.
 */
export class Context {
  readonly graph: Graph;
  readonly seed: number;
  readonly training: boolean;
  readonly measuring: boolean;
  readonly averaged: boolean;
  readonly storage: 'f32' | 'bf16';
  readonly deep: boolean;
  private readonly first: FirstWeights;
  private readonly accumulating: boolean;
  private readonly path: string[] = [];
  private readonly variables = new Map<string, Parameter>();
  private readonly pending: StateUpdate[] = [];
  private readonly used = new Map<string, number>();
  private stepInput: Value | undefined;
  private shareInput: Value | undefined;
  private passInput: Value | undefined;

  constructor(options: ContextOptions = {}) {
    this.graph = options.graph ?? new Graph();
    this.seed = options.seed ?? 0;
    this.measuring = options.measuring ?? false;
    this.training = options.training ?? !this.measuring;
    this.averaged = options.averaged ?? false;
    this.storage = options.storage ?? 'f32';
    this.first = options.first ?? 'he-normal';
    this.accumulating = options.accumulating ?? false;
    this.deep = options.deep ?? false;
    if (this.averaged && this.training)
      fail({ where: 'context', problem: 'training changes the weights and not their averages' });
    if (!Number.isInteger(this.seed) || this.seed < 0 || this.seed > 0xffffffff)
      fail({
        where: 'context',
        problem: 'impossible seed',
        expected: 'a whole number from 0 to 4294967295',
        found: String(this.seed),
      });
  }

  /** All variables in the order in which they were made. */
  get parameters(): readonly Parameter[] {
    return [...this.variables.values()];
  }

  get trainable(): readonly Parameter[] {
    return this.parameters.filter((parameter) => parameter.trainable);
  }

  get updates(): readonly StateUpdate[] {
    return this.pending;
  }

  /** Number of the step, from 0: the graph input `step`, made when something first needs it. */
  get step(): Value {
    this.stepInput ??= inputOf(this.graph, 'step', [], 'i32');
    return this.stepInput;
  }

  /** Number of the batch, from 0, which keys what is random: the step, unless a step has several batches. */
  get pass(): Value {
    if (!this.accumulating) return this.step;
    this.passInput ??= inputOf(this.graph, 'pass', [], 'i32');
    return this.passInput;
  }

  /** How much of a batch's statistics the moving ones take when they are measured: the graph input `share`, 0 to 1. */
  get share(): Value {
    this.shareInput ??= inputOf(this.graph, 'share', [], 'f64');
    return this.shareInput;
  }

  /** Builds under a longer path. */
  scope<T>(name: string, build: () => T): T {
    if (name === '' || name.startsWith('/') || name.endsWith('/'))
      fail({
        where: 'context',
        problem: 'impossible name of a scope',
        expected: 'such as "down0"',
        found: `"${name}"`,
      });
    this.path.push(name);
    try {
      return this.graph.scope(name, build);
    } finally {
      this.path.pop();
    }
  }

  /**
   * Builds one layer under its own name; the second layer of a name in a scope is called `name_1`. An empty name puts the
   * layer's variables into the present scope.
   */
  layer<T>(name: string, build: () => T): T {
    if (name === '') return build();
    const count = this.count(name);
    return this.scope(count === 0 ? name : `${name}_${count}`, build);
  }

  /** Path of the present scope, for messages. */
  get here(): string {
    return this.path.join('/');
  }

  /** Full path of a name in the present scope. */
  pathOf(name: string): string {
    return [...this.path, name].join('/');
  }

  /** First numbers of a weight with so many inputs and outputs, before a leaky ReLU of a slope. */
  firstWeights(fanIn: number, fanOut: number, slope?: number): Init {
    return firstWeights(this.first, fanIn, fanOut, slope);
  }

  /** A float32 variable under the present path. */
  variable(name: string, shape: Shape, init: Init, trainable = true): Value {
    return this.variableAt(this.pathOf(name), shape, init, trainable);
  }

  /** A float32 variable under a full path, wherever the context stands. */
  variableAt(name: string, shape: Shape, init: Init, trainable: boolean): Value {
    return trainable && this.averaged
      ? this.averageOf(name, shape)
      : this.declare(name, shape, init, trainable);
  }

  /** The running average of a weight; zeros until a training step sets it. */
  averageOf(name: string, shape: Shape): Value {
    return this.declare(averageName(name), shape, { kind: 'constant', value: 0 }, false);
  }

  private declare(name: string, shape: Shape, init: Init, trainable: boolean): Value {
    if (this.variables.has(name))
      fail({
        where: 'context',
        problem: `two variables are named "${name}"`,
        hint: 'Give the layers distinct names',
      });
    const value = variableOf(this.graph, { name, shape, dtype: 'f32', init, trainable });
    this.variables.set(name, { name, value, trainable });
    return value;
  }

  /** A number that belongs to the present path alone; the next call in the same path gives another. */
  randomStream(): number {
    const path = this.pathOf('random');
    return streamOf(`${path}#${this.count('random')}`);
  }

  /** Asks for a variable to become `value` at the end of the run. */
  update(variable: Value, value: Value): void {
    if (this.pending.some((other) => other.variable === variable))
      fail({ where: 'context', problem: `variable %${variable.id} is updated twice in one run` });
    this.pending.push({ variable, value });
  }

  /** Adds the assignments of all updates asked for so far. */
  assignUpdates(): Value[] {
    return this.pending.splice(0).map(({ variable, value }) => assignTo(variable, value));
  }

  /** `x` in the storage type of activations. */
  stored(x: Value): Value {
    return castTo(x, this.storage);
  }

  private count(name: string): number {
    const path = this.pathOf(name);
    const count = this.used.get(path) ?? 0;
    this.used.set(path, count + 1);
    return count;
  }
}

/** Hash of a path to 32 bits (FNV-1a, then a finishing mix so that near paths lie far apart). */
export function streamOf(path: string): number {
  return hash32(hashText(path));
}
