import { afterAll, describe, expect, it } from 'vitest';
import {
  type Box,
  type DType,
  Graph,
  mesh,
  range,
  type Shape,
  shape,
  type TensorType,
} from '../../src/core/index.ts';
import type { Device, HostArray, HostRooms, Tensor } from '../../src/machine/index.ts';
import { convRaw, inputOf, windows } from '../../src/ops/index.ts';
import { partition, type StoredType } from '../../src/plan/index.ts';

// What every device must do beside computing, which the laws judge: memory, formats, copies, combinations, messages, order, close.

/** What of the contract a device does not keep, with the reason. */
export interface Exceptions {
  /** Element types that it does not store. */
  readonly types?: Readonly<Partial<Record<DType, string>>>;
}

const TYPES: readonly DType[] = ['f32', 'bf16', 'f64', 'u8', 'i32'];
const IMAGE = shape({ batch: 2, depth: 3, height: 2, width: 5, channel: 19 });
const LINE = shape({ width: 7 });

const whole = (dims: Shape): Box => dims.map(({ size }) => range(0, size));
const count = (box: Box): number => box.reduce((n, { start, end }) => n * (end - start), 1);

/** A graph in which tensors like {@link IMAGE} are images. */
function convolution(): Graph {
  const graph = new Graph();
  const weight = shape({ kd: 1, kh: 1, kw: 1, channel: 19, out: 2 });
  const x = inputOf(graph, 'x', IMAGE);
  graph.output('y', convRaw(x, inputOf(graph, 'weight', weight), windows({ depth: 1, height: 1, width: 1 })));
  return graph;
}

/** For devices that take any memory of the host. */
const HOST_ROOMS: HostRooms = {
  room(bytes) {
    const data = new Uint8Array(bytes);
    return { address: 0, bytes, view: (most) => data.subarray(0, most) };
  },
  free: () => undefined,
};

/** Whole numbers that every element type holds, bfloat16 too. */
const numbers = (box: Box, first = 0): Float64Array =>
  Float64Array.from({ length: count(box) }, (_, i) => (first + 7 * i) % 251);

export function describeDevice(name: string, open: () => Device, { types = {} }: Exceptions = {}): void {
  describe(`device ${name}`, () => {
    const device = open();
    const begun = device.held;
    afterAll(() => device.close());

    const own = device.target.formats(partition(convolution(), mesh({}), {}));
    /** A type in row-major order, and in the format that the device gives an image of it. */
    const stored = (type: TensorType): StoredType[] => {
      const [plain, image] = [device.target.plain(type), own(type)];
      return (plain.name === image.name ? [plain] : [image, plain]).map((format) => ({ ...type, format }));
    };
    const made = (type: StoredType, box: Box, data?: HostArray) => {
      const memory = device.allocate(type.format.bytes(box));
      const tensor = device.tensor(memory, 0, type, box);
      if (data !== undefined) device.upload(tensor, box, data);
      return { memory, tensor, free: () => device.free(memory) };
    };
    const read = async (tensor: Tensor, box = tensor.box) => [...(await device.download(tensor, box))];

    it.each(TYPES.filter((dtype) => !(dtype in types)))('keeps %s numbers of any box', async (dtype) => {
      for (const dims of [IMAGE, LINE, []])
        for (const type of stored({ shape: dims, dtype })) {
          const { tensor, free } = made(type, whole(dims), numbers(whole(dims)));
          expect(await read(tensor)).toEqual([...numbers(whole(dims))]);
          const part = dims.map(({ size }) => range(Math.floor(size / 3), Math.ceil(size / 2)));
          device.upload(tensor, part, numbers(part, 100));
          expect(await read(tensor, part)).toEqual([...numbers(part, 100)]);
          free();
        }
    });

    it('hands numbers out in the types that it promises', async () => {
      const host = { u8: Uint8Array, i32: Int32Array };
      for (const dtype of TYPES.filter((one) => !(one in types))) {
        const [type] = stored({ shape: LINE, dtype });
        const { tensor, free } = made(type, whole(LINE), numbers(whole(LINE)));
        const found = await device.download(tensor, whole(LINE));
        const allowed = dtype === 'u8' || dtype === 'i32' ? [host[dtype]] : [Float32Array, Float64Array];
        expect(
          allowed.some((kind) => found instanceof kind),
          dtype,
        ).toBe(true);
        if (dtype === 'f64') expect(found).toBeInstanceOf(Float64Array);
        free();
      }
    });

    it('keeps boxes at their place, with what lies around them', async () => {
      const [type] = stored({ shape: IMAGE, dtype: 'f32' });
      const box = IMAGE.map(({ name: dim, size }) => (dim === 'depth' ? range(1, 3) : range(0, size)));
      const from = made(type, whole(IMAGE), numbers(whole(IMAGE)));
      const to = made(type, box, new Float32Array(count(box)));
      const inner = box.map(({ start, end }, i) =>
        IMAGE[i].name === 'width' ? range(1, 4) : range(start, end),
      );
      device.copy(to.tensor, from.tensor, inner).run();
      expect(await read(to.tensor, inner)).toEqual(await read(from.tensor, inner));
      const edge = inner.map((r, i) => (IMAGE[i].name === 'width' ? range(4, 5) : r));
      expect(new Set(await read(to.tensor, edge))).toEqual(new Set([0]));
      from.free();
      to.free();
    });

    it('combines in the order that it is given, and leaves the result in all', async () => {
      const [type] = stored({ shape: LINE, dtype: 'f32' });
      const box = whole(LINE);
      const rough = [1e8, 1, -1e8].map((x) =>
        made(
          type,
          box,
          Float32Array.from({ length: 7 }, (_, i) => x + i),
        ),
      );
      const tensors = rough.map(({ tensor }) => tensor);
      const before = await Promise.all(tensors.map((tensor) => read(tensor)));
      device.combine(tensors, 'sum').run();
      const expected = before[0].map((x, i) => Math.fround(x + before[1][i] + before[2][i]));
      for (const tensor of tensors) expect((await read(tensor)).map(Math.fround)).toEqual(expected);
      for (const how of ['max', 'min'] as const) {
        for (const [n, tensor] of tensors.entries()) device.upload(tensor, box, Float64Array.from(before[n]));
        device.combine(tensors, how).run();
        const most = before[0].map((_, i) => Math[how](...before.map((list) => list[i])));
        for (const tensor of tensors) expect(await read(tensor)).toEqual(most);
      }
      for (const { free } of rough) free();
    });

    it('does what it is asked for in that order, and passes its marks', async () => {
      const [type] = stored({ shape: LINE, dtype: 'f32' });
      const box = whole(LINE);
      const [a, b] = [made(type, box, numbers(box)), made(type, box, numbers(box, 50))];
      const first = device.mark();
      const copy = device.copy(b.tensor, a.tensor, box);
      copy.run();
      device.upload(a.tensor, box, numbers(box, 90));
      const last = device.mark();
      await last.wait();
      expect([first.passed(), last.passed()]).toEqual([true, true]);
      expect(last.milliseconds(first)).toBeGreaterThanOrEqual(0);
      expect(await read(b.tensor)).toEqual([...numbers(box)]);
      copy.run();
      await device.done();
      expect(await read(b.tensor)).toEqual([...numbers(box, 90)]);
      a.free();
      b.free();
    });

    // Recording launches is a gain that a device may have.
    const capture = device.capture?.bind(device);
    const recorded = capture === undefined ? [] : [capture];
    it.each(recorded)('asks for launches that it recorded in their order, each time anew', async (record) => {
      const [type] = stored({ shape: IMAGE, dtype: 'f32' });
      const box = whole(IMAGE);
      const [a, b, c] = [0, 50, 100].map((first) => made(type, box, numbers(box, first)));
      const owner = device.allocate(0);
      const copies = [device.copy(b.tensor, a.tensor, box), device.copy(c.tensor, b.tensor, box)];
      const both = record(copies, owner);
      expect(await read(c.tensor)).toEqual([...numbers(box, 100)]);
      for (const first of [0, 80]) {
        device.upload(a.tensor, box, numbers(box, first));
        both.run();
        expect(await read(c.tensor)).toEqual([...numbers(box, first)]);
      }
      for (const memory of [owner, a.memory, b.memory, c.memory]) device.free(memory);
    });

    it('packs boxes into messages and out of them', async () => {
      const { transport } = device;
      const [type] = stored({ shape: IMAGE, dtype: 'f32' });
      const [from, to] = [made(type, whole(IMAGE), numbers(whole(IMAGE))), made(type, whole(IMAGE))];
      const box = IMAGE.map(({ size }) => range(size > 2 ? 1 : 0, size));
      const rooms = transport.rooms ?? HOST_ROOMS;
      const room = rooms.room(transport.bytes(from.tensor, box));
      await transport.outgoing(from.tensor, box, room).pack().wait();
      await transport.incoming(to.tensor, box, room).unpack().wait();
      expect(await read(to.tensor, box)).toEqual(await read(from.tensor, box));
      rooms.free(room);
      from.free();
      to.free();
    });

    it('counts what it gave', async () => {
      const before = device.held;
      const { free } = made(stored({ shape: IMAGE, dtype: 'f32' })[0], whole(IMAGE));
      expect(device.held).toBeGreaterThan(before);
      free();
      expect(device.held).toBe(before);
      device.close();
      expect(device.held).toBe(begun);
    });
  });
}
