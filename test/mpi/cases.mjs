// What the ranks of every world must do, as programs of the ranks of one process. Each gets the world, these ranks and a device,
// and returns plain numbers for each of them.
import { range, shape } from '../../dist/core/index.js';

const line = { shape: shape({ width: 8 }), dtype: 'f32' };
const image = { shape: shape({ batch: 1, depth: 4, height: 3, width: 3, channel: 5 }), dtype: 'f32' };

/** A tensor with its numbers from `number(i)`. */
function filled(device, type, box, number) {
  const stored = { ...type, format: type.format ?? device.target.plain(type) };
  const tensor = device.tensor(device.allocate(stored.format.bytes(box)), 0, stored, box);
  const count = box.reduce((n, r) => n * (r.end - r.start), 1);
  device.upload(
    tensor,
    box,
    Float64Array.from({ length: count }, (_, i) => number(i)),
  );
  return tensor;
}

const read = async (device, tensor) => [...(await device.download(tensor, tensor.box))];
/** The numbers of some tensors of each rank, one after the other. */
const readAll = (device, ...lists) =>
  Promise.all(lists[0].map(async (_, i) => (await Promise.all(lists.map((l) => read(device, l[i])))).flat()));
const whole = (type) => type.shape.map((dim) => range(0, dim.size));
const lineOf = (device, rank, box = [range(0, 8)], type = line) =>
  filled(device, type, box, (i) => 10 * rank + box[0].start + i);

/** Numbers whose float32 sum depends on the order of its terms. */
const rough = (rank) => (i) => (1 + i / 7) * 10 ** (3 - rank * 2) * (rank % 2 ? -1 : 1);

const halo = (transfers) => ({ kind: 'exchange', inPlace: false, transfers });
const among = (groups, combine = 'sum') => ({ kind: 'all_reduce', axes: ['a'], groups, combine });

export const CASES = [
  {
    name: 'boxes go to several ranks, also of uneven size, and to the rank itself',
    ranks: 4,
    async run(world, ranks, device) {
      const to = ranks.map(() => lineOf(device, 9));
      const transfers = [
        { from: 0, to: 1, box: [range(1, 3)] },
        { from: 0, to: 2, box: [range(0, 1)] },
        { from: 0, to: 1, box: [range(6, 8)] },
        { from: 1, to: 0, box: [range(3, 8)] },
        { from: 1, to: 1, box: [range(3, 4)] },
      ];
      await world.exchange(
        'halo',
        halo(transfers),
        ranks.map((rank) => lineOf(device, rank)),
        to,
      );
      return readAll(device, to);
    },
  },
  {
    name: 'a margin is filled in the tensor that is sent from',
    ranks: 2,
    async run(world, ranks, device) {
      const tensor = ranks.map((rank) => lineOf(device, rank, rank === 0 ? [range(0, 5)] : [range(3, 8)]));
      const transfers = [
        { from: 0, to: 1, box: [range(3, 4)] },
        { from: 1, to: 0, box: [range(4, 5)] },
      ];
      await world.exchange('margin', { ...halo(transfers), inPlace: true }, tensor, tensor);
      return readAll(device, tensor);
    },
  },
  {
    name: 'empty boxes, and ranks with nothing to do',
    ranks: 3,
    async run(world, ranks, device) {
      const boxOf = (rank) => (rank === 2 ? [range(8, 8)] : [range(0, 8)]);
      const from = ranks.map((rank) => lineOf(device, rank, boxOf(rank)));
      const to = ranks.map((rank) => lineOf(device, 9, boxOf(rank)));
      const transfers = [
        { from: 0, to: 1, box: [range(2, 2)] },
        { from: 1, to: 0, box: [range(7, 8)] },
      ];
      await world.exchange('part', halo(transfers), from, to);
      await world.exchange('none', halo([]), from, to);
      const empty = ranks.map((rank) => lineOf(device, rank, [range(3, 3)]));
      await world.allReduce('nothing', among([[0, 1, 2]]), empty);
      await world.barrier('end');
      return readAll(device, to);
    },
  },
  ...['f32', 'bf16'].map((dtype) => ({
    name: `images in blocks of channels, ${dtype}`,
    ranks: 2,
    async run(world, ranks, device) {
      const type = { ...image, dtype, plain: false };
      const boxOf = (rank) =>
        whole(type).map((r, i) => (i === 1 ? (rank === 0 ? range(0, 3) : range(1, 4)) : r));
      const tensor = ranks.map((rank) => filled(device, type, boxOf(rank), (i) => 1000 * rank + i));
      const slice = (start) => whole(type).map((r, i) => (i === 1 ? range(start, start + 1) : r));
      const transfers = [
        { from: 0, to: 1, box: slice(1) },
        { from: 1, to: 0, box: slice(2) },
      ];
      await world.exchange('slices', { ...halo(transfers), inPlace: true }, tensor, tensor);
      return readAll(device, tensor);
    },
  })),
  {
    name: 'total of images in blocks of channels',
    ranks: 3,
    async run(world, ranks, device) {
      const type = {
        ...image,
        shape: shape({ batch: 2, depth: 3, height: 2, width: 3, channel: 21 }),
        plain: false,
      };
      const tensor = ranks.map((rank) => filled(device, type, whole(type), (i) => rough(rank)(i % 50)));
      await world.allReduce('images', among([[0, 1, 2]]), tensor);
      return readAll(device, tensor);
    },
  },
  ...['sum', 'max', 'min'].map((how) => ({
    name: `${how} within groups, in their order, to the last bit`,
    ranks: 4,
    async run(world, ranks, device) {
      const small = ranks.map((rank) => filled(device, line, [range(0, 8)], rough(rank)));
      await world.allReduce(
        'pairs',
        among(
          [
            [0, 3],
            [1, 2],
          ],
          how,
        ),
        small,
      );
      const wide = ranks.map((rank) => filled(device, { ...line, dtype: 'f64' }, [range(0, 8)], rough(rank)));
      await world.allReduce('all', among([[0, 1, 2, 3]], how), wide);
      const alone = ranks.map((rank) => filled(device, line, [range(2, 3)], rough(rank)));
      await world.allReduce('alone', among([[0], [1], [2], [3]], how), alone);
      return readAll(device, small, wide, alone);
    },
  })),
  ...[2, 3, 4].map((count) => ({
    name: `sum of a tensor that is shared out among ${count} ranks, to the last bit`,
    ranks: count,
    async run(world, ranks, device) {
      const type = { shape: shape({ depth: 5, channel: 1003 }), dtype: 'f64' };
      const tensor = ranks.map((rank) => filled(device, type, whole(type), (i) => rough(rank)(i % 61)));
      const everyone = [Array.from({ length: count }, (_, i) => i)];
      await world.allReduce('shared', among(everyone), tensor);
      // Fewer positions along the longest dimension than ranks would like, in float32.
      const flat = { shape: shape({ a: 5, b: 5, c: 5, d: 5, channel: 16 }), dtype: 'f32' };
      const small = ranks.map((rank) => filled(device, flat, whole(flat), (i) => rough(rank)(i % 7)));
      await world.allReduce('flat', among(everyone), small);
      return readAll(device, tensor, small);
    },
  })),
  {
    name: 'sums along each axis of a mesh of 2 by 2, one after the other',
    ranks: 4,
    async run(world, ranks, device) {
      const tensor = ranks.map((rank) =>
        filled(device, { ...line, dtype: 'f64' }, [range(0, 8)], rough(rank)),
      );
      const rows = [
        [0, 1],
        [2, 3],
      ];
      const columns = [
        [0, 2],
        [1, 3],
      ];
      await world.allReduce('along rows', among(rows), tensor);
      const along = await readAll(device, tensor);
      await world.allReduce('along columns', among(columns), tensor);
      return (await readAll(device, tensor)).map((numbers, i) => [...along[i], ...numbers]);
    },
  },
  {
    name: 'a margin wider than the uneven blocks of two ranks comes from both neighbours',
    ranks: 3,
    async run(world, ranks, device) {
      // 8 over 3 ranks: 3, 3, 2; rank 2 reads all of what lies before it.
      const own = [range(0, 3), range(3, 6), range(6, 8)];
      const tensor = ranks.map((rank) => lineOf(device, rank, [rank === 2 ? range(0, 8) : own[rank]]));
      const transfers = [0, 1].map((from) => ({ from, to: 2, box: [own[from]] }));
      await world.exchange('wide', { ...halo(transfers), inPlace: true }, tensor, tensor);
      return readAll(device, tensor);
    },
  },
  {
    name: 'the same collective again and again with new numbers',
    ranks: 2,
    async run(world, ranks, device) {
      const from = ranks.map((rank) => lineOf(device, rank));
      const to = ranks.map(() => lineOf(device, 9));
      const plan = halo([{ from: 1, to: 0, box: [range(0, 4)] }]);
      const sum = among([[0, 1]]);
      const seen = ranks.map(() => []);
      for (let round = 0; round < 50; round++) {
        for (const [at, rank] of ranks.entries())
          device.upload(
            from[at],
            from[at].box,
            Float64Array.from({ length: 8 }, (_, i) => round + i + rank),
          );
        await world.exchange('again', plan, from, to);
        await world.allReduce('again', sum, from);
        for (const at of ranks.keys())
          seen[at].push((await read(device, to[at]))[3], (await read(device, from[at]))[7]);
      }
      return seen;
    },
  },
];
