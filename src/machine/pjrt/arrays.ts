import { type Box, fail, isEmpty, sameBox } from '../../core/index.ts';
import type { HostArray } from '../device.ts';
import { type ArrayType, arrayBytes, type BufferAddress, type Client } from './client.ts';
import { numbersOf, partOf, putPart } from './numbers.ts';
import { combineText, putText, sizesOf, sliceText } from './program.ts';
import type { Programs } from './programs.ts';
import { type Content, emptyTensor, overlap, type PjrtTensor } from './tensors.ts';

// What tensors have: moved to where it is needed, read and written by boxes. All of this runs in the queue.

/** Reads, writes and moves contents of tensors. */
export class Arrays {
  private readonly client: Client;
  private readonly programs: Programs;

  constructor(client: Client, programs: Programs) {
    this.client = client;
    this.programs = programs;
  }

  /** Gives a tensor a content; that of others whose memory it takes is given back. */
  set(tensor: PjrtTensor, content: Content): void {
    this.drop(tensor);
    this.evict(tensor);
    tensor.content = content;
    tensor.memory.live.add(tensor);
  }

  /** Gives back what lies where a tensor is written. */
  evict(tensor: PjrtTensor): void {
    for (const other of tensor.memory.live) if (overlap(tensor, other)) this.drop(other);
  }

  drop(tensor: PjrtTensor): void {
    const { content } = tensor;
    tensor.content = undefined;
    tensor.memory.live.delete(tensor);
    if (content?.kind === 'array') this.client.freeBuffer(content.buffer);
  }

  private contentOf(tensor: PjrtTensor): Content {
    return tensor.content ?? { kind: 'host', data: new Uint8Array(arrayBytes(tensor)) };
  }

  /** The array of a tensor on a device, which it then has; zeros where it has nothing yet. */
  async on(tensor: PjrtTensor, device: number, about: string): Promise<BufferAddress> {
    const content = this.contentOf(tensor);
    if (content.kind === 'array' && content.device === device) return content.buffer;
    const buffer = await this.moved(content, tensor, device, about);
    this.set(tensor, { kind: 'array', buffer, device });
    return buffer;
  }

  /** A content as an array of its own on a device. */
  private moved(content: Content, type: ArrayType, device: number, about: string): Promise<BufferAddress> {
    const to = this.client.devices[device];
    return content.kind === 'host'
      ? this.client.upload(content.data, type, to, about)
      : this.client.copyTo(content.buffer, to, about);
  }

  /** Numbers of a box as the bytes of an array. */
  async bytes(tensor: PjrtTensor, box: Box, about: string): Promise<Uint8Array<ArrayBuffer>> {
    const { dtype } = tensor;
    // The interface takes no place of the host for nothing.
    if (isEmpty(box)) return new Uint8Array(0);
    const content = this.contentOf(tensor);
    if (content.kind === 'host') return partOf(content.data, tensor.box, box, dtype);
    if (sameBox(box, tensor.box)) return this.client.download(content.buffer, tensor, about);
    const part = await this.slice(content, tensor, box, about);
    try {
      return await this.client.download(part, { dtype, sizes: sizesOf(box) }, about);
    } finally {
      this.client.freeBuffer(part);
    }
  }

  async read(tensor: PjrtTensor, box: Box): Promise<HostArray> {
    return numbersOf(tensor.dtype, await this.bytes(tensor, box, 'download'));
  }

  /** Puts numbers of the host in place of those of a box. */
  async write(tensor: PjrtTensor, box: Box, data: Uint8Array<ArrayBuffer>, about: string): Promise<void> {
    const { dtype, content } = tensor;
    if (sameBox(box, tensor.box)) return this.set(tensor, { kind: 'host', data });
    if (content?.kind !== 'array') {
      const whole = content?.data ?? new Uint8Array(arrayBytes(tensor));
      putPart(whole, tensor.box, box, dtype, data);
      return this.set(tensor, { kind: 'host', data: whole });
    }
    const { device } = content;
    const part = await this.client.upload(
      data,
      { dtype, sizes: sizesOf(box) },
      this.client.devices[device],
      about,
    );
    await this.put(tensor, box, part, device, about);
  }

  /** Puts an array in place of a box, and gives it back. */
  private async put(
    tensor: PjrtTensor,
    box: Box,
    part: BufferAddress,
    device: number,
    about: string,
  ): Promise<void> {
    try {
      const present = tensor.content !== undefined;
      const text = putText(tensor.dtype, tensor.box, box, present);
      const given = present ? [await this.on(tensor, device, about), part] : [part];
      const [buffer] = await this.programs.once(text, device, given, 1, about);
      this.set(tensor, { kind: 'array', buffer, device });
    } finally {
      this.client.freeBuffer(part);
    }
  }

  private async slice(
    content: Content & { readonly kind: 'array' },
    { dtype, box: whole }: PjrtTensor,
    box: Box,
    about: string,
  ): Promise<BufferAddress> {
    const text = sliceText(dtype, whole, box);
    const [part] = await this.programs.once(text, content.device, [content.buffer], 1, about);
    return part;
  }

  /** Copies a box between tensors of one shape and type. */
  async copy(to: PjrtTensor, from: PjrtTensor, box: Box): Promise<void> {
    const about = 'copy';
    const content = this.contentOf(from);
    if (content.kind === 'host')
      return this.write(to, box, partOf(content.data, from.box, box, from.dtype), about);
    const device = to.content?.kind === 'array' ? to.content.device : content.device;
    let part = await this.slice(content, from, box, about);
    if (device !== content.device) {
      const here = part;
      try {
        part = await this.client.copyTo(here, this.client.devices[device], about);
      } finally {
        this.client.freeBuffer(here);
      }
    }
    if (sameBox(box, to.box)) this.set(to, { kind: 'array', buffer: part, device });
    else await this.put(to, box, part, device, about);
  }

  /** Joins tensors in their order on the device of the first that has an array. */
  async combine(
    tensors: readonly PjrtTensor[],
    how: 'sum' | 'max' | 'min',
    results: readonly PjrtTensor[],
  ): Promise<void> {
    const [first] = tensors;
    if (emptyTensor(first)) return;
    const about = `combine (${how})`;
    const arrays = tensors.flatMap(({ content }) => (content?.kind === 'array' ? [content.device] : []));
    const device = arrays[0] ?? 0;
    const lent: BufferAddress[] = [];
    const given: BufferAddress[] = [];
    try {
      for (const tensor of tensors) {
        const content = this.contentOf(tensor);
        const here = content.kind === 'array' && content.device === device;
        if (!here) lent.push(await this.moved(content, tensor, device, about));
        given.push(here ? content.buffer : lent[lent.length - 1]);
      }
      const homes = results.map(({ content }) => (content?.kind === 'array' ? content.device : device));
      const copies = Math.max(1, homes.filter((home) => home === device).length);
      const text = combineText(first, tensors.length, how, copies);
      const made = [...(await this.programs.once(text, device, given, copies, about))];
      const away = new Map<PjrtTensor, BufferAddress>();
      for (const [i, tensor] of results.entries())
        if (homes[i] !== device)
          away.set(tensor, await this.client.copyTo(made[0], this.client.devices[homes[i]], about));
      for (const [i, tensor] of results.entries()) {
        const buffer = away.get(tensor) ?? made.shift()!;
        this.set(tensor, { kind: 'array', buffer, device: homes[i] });
      }
      for (const left of made) this.client.freeBuffer(left);
    } finally {
      for (const buffer of lent) this.client.freeBuffer(buffer);
    }
  }
}

export const checkAlike = (tensors: readonly PjrtTensor[]): void => {
  const [first, ...others] = tensors;
  if (others.some(({ dtype, sizes }) => dtype !== first.dtype || sizes.join() !== first.sizes.join()))
    fail({ where: 'device pjrt', problem: 'only tensors of one type and of the same sizes can be combined' });
};
