// Prediction by overlapping patches: what one does who cannot segment a whole volume at once.

/** Where patches begin along an axis: the fewest that overlap by at least half, evenly spread from end to end. */
export function starts(extent, size) {
  if (size >= extent) return [0];
  const steps = Math.ceil((extent - size) / Math.max(1, Math.floor(size / 2)));
  return Array.from({ length: steps + 1 }, (_, n) => Math.round((n * (extent - size)) / steps));
}

/** The most likely class of every voxel of a prepared scan by the mean of the probabilities of all patches that hold it. */
export async function predictByPatches(run, { image, shape }, patch) {
  const size = shape.map((n, axis) => Math.min(n, patch[axis]));
  const classes = run.classes.length;
  // Every voxel takes the class with the largest sum: that of the largest mean.
  const sums = new Float32Array(image.length * classes);
  const [depths, rows, columns] = shape.map((n, axis) => starts(n, size[axis]));
  for (const k of depths)
    for (const j of rows)
      for (const i of columns) {
        const start = [k, j, i];
        const source = {
          ...{ id: 'patch', shape: size },
          image: async (box) => cut(image, shape, shifted(box, start)),
        };
        await run.segmentParts(source, { probabilities: true }, ({ box, probabilities }) => {
          let n = 0;
          eachVoxel(shape, shifted(box, start), (voxel) => {
            for (let cls = 0; cls < classes; cls++) sums[voxel * classes + cls] += probabilities[n++];
          });
        });
      }
  return Uint8Array.from({ length: image.length }, (_, voxel) => {
    let best = 0;
    for (let cls = 1; cls < classes; cls++)
      if (sums[voxel * classes + cls] > sums[voxel * classes + best]) best = cls;
    return best;
  });
}

function cut(image, shape, box) {
  const out = new Float32Array(box.end.reduce((product, end, axis) => product * (end - box.start[axis]), 1));
  let n = 0;
  eachVoxel(shape, box, (voxel) => {
    out[n++] = image[voxel];
  });
  return out;
}

function eachVoxel([, height, width], { start, end }, visit) {
  for (let k = start[0]; k < end[0]; k++)
    for (let j = start[1]; j < end[1]; j++)
      for (let i = start[2]; i < end[2]; i++) visit((k * height + j) * width + i);
}

const shifted = ({ start, end }, by) => ({
  start: start.map((n, axis) => n + by[axis]),
  end: end.map((n, axis) => n + by[axis]),
});
