import path from 'node:path';
import { fail, type Graph, type Layout, type Mesh, mesh as makeMesh } from '../../core/index.ts';
import {
  checkOutputs,
  Message,
  makeFolder,
  writeAll,
  writeAtomically,
  writeTextAtomically,
} from '../../files/index.ts';
import type { Shape3 } from '../../imaging/index.ts';
import type { VariableAttrs } from '../../ops/index.ts';
import { checkSplits, partition } from '../../plan/index.ts';
import { initial } from '../../run/variables.ts';
import { type Layouts, type Port, type Printed, printProgram } from '../../stablehlo/index.ts';
import { predictionGraph, trainingGraph } from '../../train/config/model.ts';
import { shapeOfSize } from '../../train/config/plane.ts';
import {
  configOfRun,
  filesOfRun,
  loadNetwork,
  openSafetensors,
  type TrainConfig,
  writeSafetensors,
} from '../../train/index.ts';
import { checkpointOf } from '../../train/predict/open-run.ts';
import type { RunWeightsOptions } from '../weights/run-weights.ts';
import { RUN_SCRIPT } from './run-script.ts';

/** How the programs of a run are written. */
export interface StablehloOptions extends RunWeightsOptions {
  /** Folder to write. */
  readonly stablehlo: string;
  /** Voxels of the volumes that the programs take; by default those that the run was trained on, where they are of one size. */
  readonly size?: Shape3;
  /** Devices and the dimensions that they share; one device by default. */
  readonly mesh?: Mesh;
  readonly layout?: Layout;
  /** Whose words tell XLA of the layout; Shardy's by default. With `none` only the programs that halomesh splits are for all devices. */
  readonly sharding?: Layouts['style'] | 'none';
  /** What float64 becomes: float32 is for devices that have nothing wider. */
  readonly wide?: 'f64' | 'f32';
  readonly overwrite?: boolean;
}

/** A program of the run, and its file without an ending. */
interface Program {
  readonly name: 'predict' | 'step' | 'gather';
  readonly graph: Graph;
}

/** Writes training step and prediction of a run as StableHLO, with the numbers of its checkpoint. Returns the files. */
export async function exportStablehlo(options: StablehloOptions): Promise<readonly string[]> {
  const { run, stablehlo: out, mesh = makeMesh({}), layout = {}, overwrite } = options;
  const { folder, config: saved } = await configOfRun({ run });
  const { config } = await loadNetwork(saved, { folder, given: options.network });
  const programs = programsOf(config, sizeOf(config, options.size));
  const texts = programs.flatMap((program) => textsOf(program, mesh, layout, options));
  const { file: checkpoint } = await checkpointOf(folder, options.checkpoint ?? 'latest');
  const files = [
    ...texts.flatMap(({ name }) => [`${name}.mlir`, `${name}.options`]),
    ...['weights.safetensors', 'programs.json', 'run.py'],
  ];
  const written = files.map((file) => path.join(out, file));
  checkOutputs({ reads: filesOfRun(folder), writes: written, overwrite });
  makeFolder(out);
  const step = await writeWeights(path.join(out, 'weights.safetensors'), checkpoint, programs, config);
  for (const text of texts) {
    await writeTextAtomically(path.join(out, `${text.name}.mlir`), text.printed.text);
    await writeAtomically(path.join(out, `${text.name}.options`), (handle) =>
      writeAll(handle, optionsOf(text)),
    );
  }
  const about = {
    classes: config.classes,
    steps: step,
    programs: Object.fromEntries(texts.map((text) => [text.name, described(text)])),
  };
  await writeTextAtomically(path.join(out, 'programs.json'), `${JSON.stringify(about, null, 1)}\n`);
  await writeTextAtomically(path.join(out, 'run.py'), RUN_SCRIPT);
  return written;
}

/** The size that the programs are printed for. */
function sizeOf(config: TrainConfig, asked?: Shape3): Shape3 {
  if (asked) return asked;
  if (config.patch) return config.patch;
  if (config.size !== undefined) return shapeOfSize(config, config.size);
  return fail({
    where: '--size',
    problem: 'expected the voxels along depth, height and width, found none',
    hint: 'The run sees volumes of many sizes, and a program has one: try --size 128,128,128',
  });
}

function programsOf(config: TrainConfig, size: Shape3): Program[] {
  const count = config.classes?.length;
  if (count === undefined)
    return fail({ where: 'config "classes"', problem: 'expected the names of the classes, found nothing' });
  const step: Program = { name: 'step', graph: trainingGraph(config, count, size).graph };
  const gather: Program[] =
    (config.accumulate ?? 1) > 1
      ? [{ name: 'gather', graph: trainingGraph(config, count, size, 'gather').graph }]
      : [];
  return [{ name: 'predict', graph: predictionGraph(config, count, size, true).graph }, ...gather, step];
}

/** A printed program. */
interface Text {
  /** Of its files, without an ending. */
  readonly name: string;
  readonly printed: Printed;
  readonly mesh: Mesh;
  readonly shardy: boolean;
}

/** A program in one piece, told of the layout where there is one, and then split by our own partitioner too. */
function textsOf({ name, graph }: Program, mesh: Mesh, layout: Layout, options: StablehloOptions): Text[] {
  const { sharding = 'shardy', wide } = options;
  const whole = partition(graph, makeMesh({}), {});
  const alone = (): Text => ({
    ...{ name, mesh: makeMesh({}), shardy: true },
    printed: printProgram(whole, { name, wide }),
  });
  if (mesh.size === 1) return [alone()];
  checkSplits(graph, mesh, layout);
  const split: Text = {
    ...{ name: `${name}.split`, mesh, shardy: true },
    printed: printProgram(partition(graph, mesh, layout), { name, wide }),
  };
  if (sharding === 'none') return [alone(), split];
  const printed = printProgram(whole, { name, wide, layouts: { style: sharding, mesh, layout } });
  for (const port of [...printed.arguments, ...printed.results]) checkEven(port, mesh, layout);
  return [{ name, printed, mesh, shardy: sharding === 'shardy' }, split];
}

/** Arrays of JAX that devices share are cut into equal parts. */
function checkEven({ name, shape }: Port, mesh: Mesh, layout: Layout): void {
  for (const dim of shape) {
    const parts = mesh.axes.find((axis) => axis.name === layout[dim.name])?.size ?? 1;
    if (dim.size % parts !== 0)
      fail({
        where: `split ${dim.name}=${parts}`,
        problem: `"${name}" is not cut into equal parts, which arrays of JAX are`,
        expected: `a number of parts that divides ${dim.size}`,
        found: String(parts),
        hint: 'Change --split or --size, or give --sharding none: what halomesh splits itself may be uneven',
      });
  }
}

const described = ({ printed, mesh }: Text): object => ({
  devices: mesh.size,
  mesh: Object.fromEntries(mesh.axes.map(({ name, size }) => [name, size])),
  arguments: printed.arguments.map(portText),
  results: printed.results.map(portText),
});

/** Element types by the names that numpy has for them. */
const NAMES = { f32: 'float32', f64: 'float64', bf16: 'bfloat16', u8: 'uint8', i32: 'int32' } as const;

/** `shape` is that of the program's tensor, `whole` that of the tensor that it stands for. */
const portText = ({ name, kind, dtype, shape, axes, places }: Port): object => ({
  ...{ name, kind, dtype: NAMES[dtype] },
  dims: shape.map((dim) => dim.name),
  shape: places.map(({ length }) => length),
  whole: shape.map((dim) => dim.size),
  axes: axes.map((axis) => axis ?? null),
  ...(places.some((at) => at.includes(-1)) && { places }),
});

/**
 * CompileOptionsProto of XLA for a program: one replica of as many partitions as there are devices, numbered as the mesh has them. Fields:
 * executable_build_options 3, in it device_ordinal 1, num_replicas 4, num_partitions 5, use_spmd_partitioning 6, use_shardy_partitioner
 * 19, device_assignment 9 of replica_count 1, computation_count 2, computation_devices 3 of replica_device_ids 1.
 */
function optionsOf({ mesh: { size }, shardy }: Text): Uint8Array {
  const assigned = new Message().whole(1, 1).whole(2, size);
  for (let device = 0; device < size; device++) assigned.message(3, new Message().whole(1, device));
  const build = new Message().whole(1, -1).whole(4, 1).whole(5, size);
  build
    .whole(6, size > 1 ? 1 : 0)
    .whole(19, shardy ? 1 : 0)
    .message(9, assigned);
  return Buffer.concat([...new Message().message(3, build).chunks()]);
}

/** Writes every variable of the programs, and returns the steps of the checkpoint. What it lacks begins as in a training. */
async function writeWeights(
  file: string,
  checkpoint: string,
  programs: readonly Program[],
  { seed }: TrainConfig,
): Promise<number> {
  const variables = new Map<string, VariableAttrs>();
  for (const { graph } of programs)
    for (const { op, call } of graph.nodes)
      if (op.role === 'variable') {
        const attrs = call.attrs as VariableAttrs;
        variables.set(attrs.name, attrs);
      }
  const opened = await openSafetensors(checkpoint);
  try {
    const tensors = [...variables].map(([name, attrs]) => {
      const sizes = attrs.shape.map((dim) => dim.size);
      const found = opened.tensors.get(name);
      if (found && found.shape.join() !== sizes.join())
        fail({
          where: checkpoint,
          problem: `tensor "${name}"`,
          expected: `shape [${sizes.join(', ')}]`,
          found: `[${found.shape.join(', ')}]`,
          hint: 'Is the network that of the config it was trained with?',
        });
      const box = sizes.map((end) => ({ start: 0, end }));
      const data = () => (found ? opened.read(name) : initial(attrs, seed, box));
      const dtype = attrs.dtype === 'f64' ? ('F64' as const) : ('F32' as const);
      const typed = async () => {
        const numbers = await data();
        return dtype === 'F64' ? Float64Array.from(numbers) : Float32Array.from(numbers);
      };
      return { name, dtype, shape: sizes, data: typed };
    });
    await writeSafetensors(file, tensors, {});
    return Number(opened.metadata.step);
  } finally {
    await opened.close();
  }
}
