import { NVImage } from '@niivue/niivue';

// NIfTI-1 files as the server writes them: one volume, single file, plain or packed by gzip.

/** Bytes of the header, with those that say whether extensions follow. */
const HEAD = 352;

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

interface ReadVolume {
  readonly head: ArrayBuffer;
  readonly voxels: ArrayBuffer;
}

/**
 * Reads a volume as its bytes come, each voxel into its place: beside the one array that stays it holds a piece of the file. Throws for a
 * file that ends before its last voxel, with what `problem` knows of that.
 */
export async function readVolume(
  name: string,
  body: Bytes,
  problem: () => Promise<string | undefined>,
): Promise<ReadVolume> {
  try {
    return await readWhole(await unpacked(body));
  } catch (error) {
    const known = await problem();
    throw new Error(known ?? `${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

async function readWhole(body: Bytes): Promise<ReadVolume> {
  const head = new Uint8Array(HEAD);
  let voxels = new Uint8Array(0);
  let at = 0;
  /** Where the first voxel is. */
  let first = HEAD;
  const take = (piece: Uint8Array): void => {
    if (at < HEAD) {
      const part = piece.subarray(0, HEAD - at);
      head.set(part, at);
      at += part.length;
      if (at < HEAD) return;
      const view = new DataView(head.buffer);
      const little = view.getInt32(0, true) === 348;
      first = view.getFloat32(108, little);
      const [i, j, k] = [42, 44, 46].map((place) => view.getInt16(place, little));
      voxels = new Uint8Array((i * j * k * view.getInt16(72, little)) / 8);
      piece = piece.subarray(part.length);
    }
    // What stands between header and voxels, and behind them, is passed over.
    const from = at - first;
    at += piece.length;
    if (from + piece.length <= 0 || from >= voxels.length) return;
    const part = piece.subarray(Math.max(0, -from), voxels.length - from);
    voxels.set(part, Math.max(0, from));
  };
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    take(value);
  }
  if (at < HEAD || at - first < voxels.length)
    throw new Error(`${Math.max(0, at - first)} of ${voxels.length} bytes of voxels came`);
  return { head: head.buffer, voxels: voxels.buffer };
}

/** The same bytes, unpacked where they begin as gzip does. */
async function unpacked(body: Bytes): Promise<Bytes> {
  const reader = body.getReader();
  const { value: start } = await reader.read();
  const again = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      if (start === undefined) controller.close();
      else controller.enqueue(start);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const gzip = start !== undefined && start[0] === 0x1f && start[1] === 0x8b;
  return gzip ? again.pipeThrough(new DecompressionStream('gzip')) : again;
}

/** The volume as NiiVue draws it, over the same voxels. */
export async function imageOf({ head, voxels }: ReadVolume, name: string): Promise<NVImage> {
  // NiiVue copies the voxels of files that it reads itself, so it is given a file with one voxel.
  const small = new Uint8Array(HEAD + 8);
  small.set(new Uint8Array(head));
  const view = new DataView(small.buffer);
  const little = view.getInt32(0, true) === 348;
  const shape = [42, 44, 46].map((place) => view.getInt16(place, little));
  for (const place of [42, 44, 46]) view.setInt16(place, 1, little);
  view.setFloat32(108, HEAD, little);
  const buffer = small.buffer.slice(0, HEAD + view.getInt16(72, little) / 8);
  const image = await NVImage.loadFromUrl({ url: buffer, name: 'head.nii' });
  shape.forEach((extent, axis) => {
    image.hdr!.dims[axis + 1] = extent;
  });
  const rest = [undefined, undefined, undefined, undefined, undefined, undefined] as const;
  image.init(
    ...([
      head,
      name,
      ...rest,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      image.imageType,
    ] as const),
    ...([undefined, undefined, undefined, undefined, undefined, voxels] as const),
  );
  return image;
}
