import { length, type Range } from '../../core/index.ts';

/** Some channels of a box, voxel by voxel: what `read` gives of each. */
export async function interleaved(
  channels: Range,
  read: (channel: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const count = length(channels);
  const first = await read(channels.start);
  if (count === 1) return first;
  const out = new Float32Array(first.length * count);
  for (let c = 0; c < count; c++) {
    const values = c === 0 ? first : await read(channels.start + c);
    for (let n = 0, to = c; n < values.length; n++, to += count) out[to] = values[n];
  }
  return out;
}
