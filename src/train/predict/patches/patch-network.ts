import { type Box, HalomeshError } from '../../../core/index.ts';
import { boxShape, type Shape3, type VoxelSource } from '../../../imaging/index.ts';
import type { Loaded, OutputPart, Session } from '../../../run/index.ts';
import { scoresGraph, sessionOf, stagesOf, withinMemory } from '../../config/model.ts';
import { withSplit } from '../../config/with-split.ts';
import { interleaved } from '../../samples/interleaved.ts';
import { type Flip, flipBox, flipNumbers } from '../flips.ts';
import { loadWeights, type SegmenterParts } from '../segmenter.ts';
import { voxelBox } from '../volume-parts.ts';

/** A trained network over windows of one shape: its scores, before the softmax. */
export class PatchNetwork {
  private parts: SegmenterParts;
  private opened: { readonly key: string; readonly session: Session; readonly program: Loaded } | undefined;
  private trained: number | undefined;

  constructor(parts: SegmenterParts) {
    this.parts = parts;
  }

  /** Steps that it was trained for; known once it was open. */
  get step(): number | undefined {
    return this.trained;
  }

  /** The smallest window that holds a volume and that the strides of the network divide. */
  roomFor(shape: Shape3): Shape3 {
    const stages = stagesOf(this.parts.config)!;
    const up = (axis: 0 | 1 | 2, dim: 'depth' | 'height' | 'width') => {
      const stride = stages.reduce((product, stage) => product * (stage.stride[dim] ?? 1), 1);
      return Math.ceil(shape[axis] / stride) * stride;
    };
    return [up(0, 'depth'), up(1, 'height'), up(2, 'width')];
  }

  /** Loads it for windows of this shape; `hostBytes`: of the volumes that the process holds beside it. */
  async open(window: Shape3, hostBytes: number): Promise<void> {
    const { tracer, processes, grantedBytes, classes } = this.parts;
    const key = `${window.join('x')} ${hostBytes}`;
    if (this.opened?.key === key) return;
    this.free();
    const graphFor = (size: Shape3) => scoresGraph(this.parts.config, classes.length, size).graph;
    const { config, why } = await withSplit(this.parts.config, {
      ...{ shape: window, batch: 1, hostBytes, processes },
      graph: graphFor,
    });
    this.parts = { ...this.parts, config };
    if (why) this.parts.onSplit?.(why);
    const graph = graphFor(window);
    const fitted = withinMemory(config, () => [{ graph, hostBytes }]);
    const session = sessionOf(fitted.config, { tracer, processes, grantedBytes });
    try {
      const name = `scores ${window.join('x')}`;
      const program = await session.load(fitted.plans?.[0] ?? graph, { name, hostBytes, idleRanks: true });
      this.trained = await loadWeights(this.parts.file, session.variables);
      this.opened = { key, session, program };
    } catch (error) {
      session.close();
      session.device.close();
      throw error;
    }
  }

  /** The scores of a window that is turned around, [batch, depth, height, width, class], in the order of the turned one. */
  scores(window: VoxelSource, flip: Flip): Promise<readonly OutputPart[]> {
    const image = (box: Box): Promise<Float32Array> =>
      interleaved(box[4], async (channel) => {
        const wanted = flipBox(voxelBox(box), window.shape, flip);
        return flipNumbers(await window.image(wanted, channel), boxShape(wanted), flip);
      });
    if (this.opened === undefined) throw new HalomeshError({ where: 'network', problem: 'is not open' });
    return this.opened.program.runParts({ image }, ['scores']).then(({ scores }) => scores);
  }

  free(): void {
    this.opened?.session.close();
    this.opened?.session.device.close();
    this.opened = undefined;
  }
}
