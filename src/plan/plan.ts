import { type Box, fail, type Graph, type Layout, type Mesh, type TensorType } from '../core/index.ts';
import { assignBuffers, type Buffer, type StoredType } from './buffers.ts';
import { fuse } from './fuse.ts';
import type { FusionRules, Step } from './kernel.ts';
import { type MemoryPlan, planMemory } from './memory.ts';
import { partition } from './partition.ts';
import { type LocalNode, type LocalProgram, type LocalValue, nodeBytes } from './program.ts';

/** What planning needs to know of a device. */
export interface Target {
  readonly name: string;
  readonly fusion: FusionRules;
  refuses(node: LocalNode): string | undefined;
  /** Whether tensors of a program lie in plain row-major order, by type. */
  plain(program: LocalProgram): (type: TensorType) => boolean;
  storageBytes(type: StoredType, box: Box): number;
}

/** Everything that is decided before anything runs. */
export interface Plan {
  readonly program: LocalProgram;
  readonly steps: readonly Step[];
  readonly buffers: ReadonlyMap<LocalValue, Buffer>;
  readonly memory: MemoryPlan;
  /** Floating-point operations of one run, per rank. */
  readonly flops: readonly number[];
  /** Bytes that one run sends between ranks, all together. */
  readonly bytesSent: { readonly exchange: number; readonly allReduce: number };
}

/** Partitions, fuses, schedules and places a graph for a device; raises what the device cannot run. */
export function makePlan(graph: Graph, mesh: Mesh, layout: Layout, target: Target): Plan {
  const program = partition(graph, mesh, layout);
  checkSupport(program, target);
  const steps = fuse(program, target.fusion);
  const buffers = assignBuffers(program, steps, target.plain(program));
  const memory = planMemory(program, steps, buffers, (buffer, rank) =>
    target.storageBytes(buffer, buffer.boxes[rank]),
  );
  const bytesSent = { exchange: 0, allReduce: 0 };
  for (const node of program.nodes) {
    if (node.collective?.kind === 'exchange') bytesSent.exchange += nodeBytes(node);
    if (node.collective?.kind === 'all_reduce') bytesSent.allReduce += nodeBytes(node);
  }
  const flops = Array.from({ length: mesh.size }, (_, rank) => flopsOf(program, rank));
  return { program, steps, buffers, memory, flops, bytesSent };
}

function flopsOf(program: LocalProgram, rank: number): number {
  return program.nodes.reduce((sum, { op, call, loops }) => sum + op.cost(call, loops[rank]).flops, 0);
}

function checkSupport(program: LocalProgram, target: Target): void {
  const refused = new Map<string, string>();
  for (const node of program.nodes) {
    if (node.collective) continue;
    const reason = target.refuses(node);
    if (reason !== undefined && !refused.has(node.call.where)) refused.set(node.call.where, reason);
  }
  if (refused.size === 0) return;
  fail({
    where: `device ${target.name}`,
    problem: `cannot run ${[...refused].map(([where, reason]) => `${where} (${reason})`).join('; ')}`,
    hint: 'Use another device, e.g. --device reference, or change the model',
  });
}
