import koffi from 'koffi';
import { BYTES, type DType, fail } from '../../core/index.ts';
import { Message } from '../../files/index.ts';
import { addressOf, EXECUTE_OPTIONS, LAYOUT, PROGRAM, struct, TILED_BYTES, words } from './api.ts';
import { hold, type Plugin, textAt } from './plugin.ts';

// What a plug-in made here is known by its address alone, and given back by whoever asked for it.
export type BufferAddress = bigint;
export type ExecutableAddress = bigint;
export type EventAddress = bigint;

/** Element types by the numbers of the interface. */
const TYPES: Readonly<Record<DType, bigint>> = { u8: 6n, i32: 4n, f32: 11n, f64: 12n, bf16: 13n };

/** What the plug-in may do with numbers of the host: it has read them when the call returns. */
const ONLY_DURING_CALL = 0n;

/** One device of a plug-in's client. */
export interface PjrtDevice {
  readonly address: bigint;
  readonly id: number;
  /** Such as `TPU v5 lite`. */
  readonly kind: string;
  /** Bytes of its memory; undefined where the plug-in does not tell. */
  readonly bytes: number | undefined;
}

/** Sizes and element type of an array. */
export interface ArrayType {
  readonly dtype: DType;
  readonly sizes: readonly number[];
}

export const arrayBytes = ({ dtype, sizes }: ArrayType): number =>
  sizes.reduce((n, size) => n * size, BYTES[dtype]);

/** A plug-in's client: the devices of this process. */
export class Client {
  readonly plugin: Plugin;
  readonly platform: string;
  readonly devices: readonly PjrtDevice[];
  private readonly address: bigint;
  /** What was made and not given back: 0 before it is closed. */
  readonly live = { buffers: 0, executables: 0, events: 0 };

  constructor(plugin: Plugin, address: bigint) {
    this.plugin = plugin;
    this.address = address;
    const { name, nameSize } = plugin.call('PJRT_Client_PlatformName', { client: address });
    this.platform = textAt(name, nameSize);
    this.devices = devicesOf(plugin, address);
  }

  /** What the plug-in says of itself: platform and version, on one line. */
  get note(): string {
    const { version, versionSize } = this.plugin.call('PJRT_Client_PlatformVersion', {
      client: this.address,
    });
    const told = textAt(version, versionSize).replace(/\s+/g, ' ').trim();
    return told === '' ? this.platform : `${this.platform}, ${told}`;
  }

  destroy(): void {
    this.plugin.call('PJRT_Client_Destroy', { client: this.address });
  }

  /** A program of StableHLO text for one device. */
  async compile(text: string, device: PjrtDevice, about: string): Promise<ExecutableAddress> {
    const [code, format, options] = [Buffer.from(text), Buffer.from('mlir'), compileOptions(device.id)];
    const program = struct(PROGRAM, {
      code: addressOf(code),
      codeSize: BigInt(code.length),
      format: addressOf(format),
      formatSize: BigInt(format.length),
    });
    const { executable } = await this.plugin.ask(
      'PJRT_Client_Compile',
      {
        client: this.address,
        program: addressOf(program),
        compileOptions: addressOf(options),
        compileOptionsSize: BigInt(options.length),
      },
      [code, format, options, program],
      about,
    );
    this.live.executables++;
    return executable;
  }

  freeExecutable(executable: ExecutableAddress): void {
    this.live.executables--;
    this.plugin.call('PJRT_LoadedExecutable_Destroy', { executable });
  }

  /** Row-major numbers of the host as an array of a device. `data` may change when the promise is kept. */
  async upload(data: Uint8Array, type: ArrayType, device: PjrtDevice, about: string): Promise<BufferAddress> {
    const dims = words(type.sizes.length);
    for (const [i, size] of type.sizes.entries()) dims[i] = BigInt(size);
    const { buffer, doneWithHostBuffer } = await this.plugin.ask(
      'PJRT_Client_BufferFromHostBuffer',
      {
        client: this.address,
        data: addressOf(data),
        type: TYPES[type.dtype],
        dims: addressOf(dims),
        numDims: BigInt(type.sizes.length),
        semantics: ONLY_DURING_CALL,
        device: device.address,
      },
      [data, dims],
      about,
    );
    this.live.buffers++;
    if (doneWithHostBuffer !== 0n) {
      this.live.events++;
      await this.settled(doneWithHostBuffer, about);
    }
    return buffer;
  }

  /** Numbers of an array, row-major, when all that makes it is done. */
  async download(buffer: BufferAddress, type: ArrayType, about: string): Promise<Uint8Array<ArrayBuffer>> {
    const data = new Uint8Array(new ArrayBuffer(arrayBytes(type)));
    const rank = type.sizes.length;
    const order = words(rank);
    for (let i = 0; i < rank; i++) order[i] = BigInt(rank - 1 - i);
    const layout = struct(LAYOUT, {
      size: TILED_BYTES,
      minorToMajor: addressOf(order),
      minorToMajorSize: BigInt(rank),
    });
    const held = [data, order, layout];
    const { event } = await this.plugin.ask(
      'PJRT_Buffer_ToHostBuffer',
      {
        buffer,
        hostLayout: addressOf(layout),
        data: addressOf(data),
        size: BigInt(data.length),
      },
      held,
      about,
    );
    this.live.events++;
    await this.settled(event, about);
    hold(held);
    return data;
  }

  async copyTo(buffer: BufferAddress, device: PjrtDevice, about: string): Promise<BufferAddress> {
    const values = { buffer, device: device.address };
    const { copy } = await this.plugin.ask('PJRT_Buffer_CopyToDevice', values, [], about);
    this.live.buffers++;
    return copy;
  }

  /** Asks for a program; what it gives may be used at once. The event is reached when it is done. */
  async execute(
    executable: ExecutableAddress,
    inputs: readonly BufferAddress[],
    outputs: number,
    about: string,
  ): Promise<{ readonly outputs: readonly BufferAddress[]; readonly event: EventAddress }> {
    const options = struct(EXECUTE_OPTIONS, {});
    const given = words(inputs.length);
    given.set(inputs);
    const made = words(outputs);
    // Lists of lists: one for each device, of which there is one.
    const [givenLists, madeLists, events] = [words(1), words(1), words(1)];
    givenLists[0] = addressOf(given);
    madeLists[0] = addressOf(made);
    const held = [options, given, made, givenLists, madeLists, events];
    await this.plugin.ask(
      'PJRT_LoadedExecutable_Execute',
      {
        executable,
        options: addressOf(options),
        argumentLists: addressOf(givenLists),
        numDevices: 1n,
        numArgs: BigInt(inputs.length),
        outputLists: addressOf(madeLists),
        completeEvents: addressOf(events),
      },
      held,
      about,
    );
    const found = [...made.subarray(0, outputs)];
    this.live.buffers += outputs;
    if (found.some((buffer) => buffer === 0n) || events[0] === 0n)
      fail({ where: this.plugin.where, problem: `${about}: the plug-in gave no result and no error` });
    this.live.events++;
    return { outputs: found, event: events[0] };
  }

  /** Gives an array back; what was asked for before may still read it. */
  freeBuffer(buffer: BufferAddress): void {
    this.live.buffers--;
    this.plugin.call('PJRT_Buffer_Destroy', { buffer });
  }

  reached(event: EventAddress): boolean {
    return (this.plugin.call('PJRT_Event_IsReady', { event }).isReady & 0xffn) !== 0n;
  }

  /** Waits for an event on another thread, gives it back, and raises what it reports. */
  async settled(event: EventAddress, about: string): Promise<void> {
    try {
      await this.plugin.ask('PJRT_Event_Await', { event }, [], about);
    } finally {
      this.live.events--;
      this.plugin.call('PJRT_Event_Destroy', { event });
    }
  }
}

function devicesOf(plugin: Plugin, client: bigint): readonly PjrtDevice[] {
  const { devices, numDevices } = plugin.call('PJRT_Client_AddressableDevices', { client });
  const count = Number(numDevices);
  if (count === 0)
    fail({
      where: plugin.where,
      problem: 'the plug-in finds no device that this process can use',
      hint: 'Look at its own messages, and whether another process holds the device',
    });
  const addresses: BigUint64Array = koffi.decode(devices, 'uint64_t', count);
  return [...addresses].map((device) => {
    const { description } = plugin.call('PJRT_Device_GetDescription', { device });
    const { id } = plugin.call('PJRT_DeviceDescription_Id', { description });
    const { kind, kindSize } = plugin.call('PJRT_DeviceDescription_Kind', { description });
    return {
      address: device,
      id: Number(BigInt.asIntN(32, id)),
      kind: textAt(kind, kindSize),
      bytes: plugin.memoryOf(device),
    };
  });
}

/**
 * CompileOptionsProto: one replica of one part, on the device with a number. Fields: executable_build_options 3, in it device_ordinal 1,
 * num_replicas 4, num_partitions 5, device_assignment 9 of replica_count 1, computation_count 2, computation_devices 3 of
 * replica_device_ids 1.
 */
function compileOptions(device: number): Uint8Array {
  const assigned = new Message().whole(1, 1).whole(2, 1).message(3, new Message().whole(1, device));
  const build = new Message().whole(1, -1).whole(4, 1).whole(5, 1).message(9, assigned);
  return Buffer.concat([...new Message().message(3, build).chunks()]);
}
