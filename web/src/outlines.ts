/**
 * The voxels of a label map that touch another label by a face, and 0 elsewhere: what is left of its labels as outlines. `dims`: voxels
 * along its axes, the fastest first. Edges of the map are no outline.
 */
export function outlinesOf(
  labels: Uint8Array,
  [width, height, depth]: readonly [number, number, number],
): Uint8Array {
  const out = new Uint8Array(labels.length);
  const plane = width * height;
  for (let k = 0, n = 0; k < depth; k++)
    for (let j = 0; j < height; j++)
      for (let i = 0; i < width; i++, n++) {
        const label = labels[n];
        if (label === 0) continue;
        if (
          (i > 0 && labels[n - 1] !== label) ||
          (i < width - 1 && labels[n + 1] !== label) ||
          (j > 0 && labels[n - width] !== label) ||
          (j < height - 1 && labels[n + width] !== label) ||
          (k > 0 && labels[n - plane] !== label) ||
          (k < depth - 1 && labels[n + plane] !== label)
        )
          out[n] = label;
      }
  return out;
}
