import * as hm from 'halomesh';

// Trains a U-Net whose layers are cut along depth, a part in each process. The losses are the same for any number of processes.
//
//   mpirun -n 2 node examples/mesh-over-mpi.mjs

const processes = hm.mpiProcesses();
const space = { depth: 16, height: 16, width: 16 };
const { graph } = hm.buildTraining({
  image: hm.shape({ batch: 1, ...space, channel: 1 }),
  network: { base: 4, levels: 2 },
  optimizer: { kind: 'adam' },
});
const session = new hm.Session({
  device: hm.cpuDevice(),
  mesh: hm.mesh({ parts: processes.ranks.length }),
  layout: { depth: 'parts' },
  processes,
  seed: 1,
});
const program = await session.load(graph);

// Every process is given the whole sample here; a function in place of an array is asked for the part of a rank alone.
const truth = Uint8Array.from({ length: 16 ** 3 }, (_, n) => ((n >> 8) % 4 < 2 ? 1 : 0));
const image = Float32Array.from(truth, (label, n) => label + Math.sin(n));
for (let step = 0; step < 5; step++) {
  const numbers = { step: Int32Array.of(step), learning_rate: Float64Array.of(0.01) };
  const { loss } = await program.run({ image, labels: truth, ...numbers }, ['loss']);
  if (processes.index === 0)
    console.log(`step ${step + 1} of ${processes.ranks.length} processes: loss ${loss[0]}`);
}
session.close();
await hm.finishMpi();
