import { buildTraining, type Device, mesh, Session, shape } from '../../src/browser.ts';

/** Four steps of a small U-Net on made-up numbers, in one part and in two: its losses. What pages and Node.js both run. */
export async function smallTraining(device: Device): Promise<number[]> {
  const found: number[] = [];
  for (const depth of [1, 2]) {
    const { graph } = buildTraining({
      image: shape({ batch: 1, depth: 8, height: 16, width: 20, channel: 1 }),
      network: { base: 16, levels: 2 },
      optimizer: { kind: 'adam' },
    });
    const session = new Session({ device, mesh: mesh({ depth }), layout: { depth: 'depth' }, seed: 3 });
    const program = await session.load(graph);
    const voxels = 8 * 16 * 20;
    const image = Float32Array.from({ length: voxels }, (_, i) => ((i * 7919) % 1009) / 1009);
    const labels = Uint8Array.from({ length: voxels }, (_, i) => (image[i] > 0.7 ? 1 : 0));
    for (let step = 0; step < 4; step++) {
      const given = { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(0.01) };
      found.push((await program.run(given, ['loss'])).loss[0]);
    }
    session.close();
  }
  return found;
}
