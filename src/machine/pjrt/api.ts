import koffi from 'koffi';
import { fail } from '../../core/index.ts';

// The functions of the PJRT C interface that are called. A plug-in gives a table of them; each takes the address of one struct, whose
// first two fields are its size and a list of extensions. What it gives is left in fields of the same struct.

interface Signature {
  /** Its place among the functions of the table. */
  readonly at: number;
  /** Fields behind the first two, eight bytes each: smaller ones are padded to that by the fields that follow them. */
  readonly fields: readonly string[];
}

const FUNCTIONS = {
  PJRT_Error_Destroy: { at: 0, fields: ['error'] },
  PJRT_Error_Message: { at: 1, fields: ['error', 'message', 'messageSize'] },
  PJRT_Error_GetCode: { at: 2, fields: ['error', 'code'] },
  PJRT_Plugin_Initialize: { at: 3, fields: [] },
  PJRT_Event_Destroy: { at: 5, fields: ['event'] },
  PJRT_Event_IsReady: { at: 6, fields: ['event', 'isReady'] },
  PJRT_Event_Error: { at: 7, fields: ['event'] },
  PJRT_Event_Await: { at: 8, fields: ['event'] },
  PJRT_Client_Create: {
    at: 10,
    fields: [
      'createOptions',
      'numOptions',
      'getCallback',
      'getArgument',
      'putCallback',
      'putArgument',
      'client',
      'tryGetCallback',
      'tryGetArgument',
    ],
  },
  PJRT_Client_Destroy: { at: 11, fields: ['client'] },
  PJRT_Client_PlatformName: { at: 12, fields: ['client', 'name', 'nameSize'] },
  PJRT_Client_PlatformVersion: { at: 14, fields: ['client', 'version', 'versionSize'] },
  PJRT_Client_AddressableDevices: { at: 16, fields: ['client', 'devices', 'numDevices'] },
  PJRT_Client_Compile: {
    at: 20,
    fields: ['client', 'program', 'compileOptions', 'compileOptionsSize', 'executable'],
  },
  PJRT_Client_BufferFromHostBuffer: {
    at: 22,
    fields: [
      'client',
      'data',
      'type',
      'dims',
      'numDims',
      'byteStrides',
      'numByteStrides',
      'semantics',
      'device',
      'memory',
      'deviceLayout',
      'doneWithHostBuffer',
      'buffer',
    ],
  },
  PJRT_DeviceDescription_Id: { at: 23, fields: ['description', 'id'] },
  PJRT_DeviceDescription_Kind: { at: 26, fields: ['description', 'kind', 'kindSize'] },
  PJRT_Device_GetDescription: { at: 29, fields: ['device', 'description'] },
  PJRT_Device_MemoryStats: {
    at: 34,
    fields: [
      'device',
      'bytesInUse',
      'peakBytesInUse',
      'peakBytesInUseIsSet',
      'numAllocs',
      'numAllocsIsSet',
      'largestAllocSize',
      'largestAllocSizeIsSet',
      'bytesLimit',
      'bytesLimitIsSet',
      'bytesReserved',
      'bytesReservedIsSet',
      'peakBytesReserved',
      'peakBytesReservedIsSet',
      'bytesReservableLimit',
      'bytesReservableLimitIsSet',
      'largestFreeBlockBytes',
      'largestFreeBlockBytesIsSet',
      'poolBytes',
      'poolBytesIsSet',
      'peakPoolBytes',
      'peakPoolBytesIsSet',
    ],
  },
  PJRT_LoadedExecutable_Destroy: { at: 50, fields: ['executable'] },
  PJRT_LoadedExecutable_Execute: {
    at: 55,
    fields: [
      'executable',
      'options',
      'argumentLists',
      'numDevices',
      'numArgs',
      'outputLists',
      'completeEvents',
      'executeDevice',
    ],
  },
  PJRT_Buffer_Destroy: { at: 58, fields: ['buffer'] },
  PJRT_Buffer_CopyToDevice: { at: 69, fields: ['buffer', 'device', 'copy'] },
  PJRT_Buffer_ToHostBuffer: { at: 70, fields: ['buffer', 'hostLayout', 'data', 'size', 'event'] },
} as const satisfies Readonly<Record<string, Signature>>;

export type PjrtFunction = keyof typeof FUNCTIONS;
type Field<N extends PjrtFunction> = (typeof FUNCTIONS)[N]['fields'][number];
/** Fields of the struct of a function, by name; those that are not given are 0. */
export type Fields<N extends PjrtFunction> = { readonly [F in Field<N>]: bigint };

/** Structs that functions take beside their own: fields behind the first two. */
export const PROGRAM = ['code', 'codeSize', 'format', 'formatSize'] as const;
export const EXECUTE_OPTIONS = [
  'sendCallbacks',
  'recvCallbacks',
  'numSendOps',
  'numRecvOps',
  'launchId',
  'nonDonatable',
  'numNonDonatable',
  'context',
  'callLocation',
  'numTasks',
  'taskIds',
  'incarnationIds',
] as const;

/** How the numbers of an array lie: from the dimension that runs fastest to the slowest, in no tiles. */
export const LAYOUT = [
  'size',
  'extensions',
  'minorToMajor',
  'minorToMajorSize',
  'tileDims',
  'tileDimSizes',
  'numTiles',
  'kind',
] as const;
/** Bytes of a tiled layout, which is a struct in the one of layouts. */
export const TILED_BYTES = 56n;

const WORD = 8;
/** Words of the size and the extensions. */
const HEAD = 2;
/** Words of the table before its functions: its size, extensions, and the version, a struct of three words. */
const TABLE_HEAD = 5;

/**
 * The version of the interface: since MINOR of 0 the functions stand where they do now, and later versions only add to them; another
 * major version is another table.
 */
const MAJOR = 0;
const OLDEST_MINOR = 57;

/** Memory that stays where it is while anybody holds it. */
export const words = (count: number): BigUint64Array<ArrayBuffer> =>
  new BigUint64Array(new ArrayBuffer(WORD * Math.max(count, 1)));

export const addressOf = (data: Uint8Array | BigUint64Array | BigInt64Array): bigint => koffi.address(data);

/** A struct of the interface with its size. What fields point to must be held by who made it. */
export function struct<F extends string>(
  fields: readonly F[],
  values: Readonly<Partial<Record<F, bigint>>>,
): BigUint64Array<ArrayBuffer> {
  const made = words(HEAD + fields.length);
  made[0] = BigInt(made.byteLength);
  for (const [i, field] of fields.entries()) made[HEAD + i] = values[field] ?? 0n;
  return made;
}

/** Every function: the address of an error, or 0. */
const CALL = koffi.proto('uint64_t', ['void *']);

/** Small addresses come as numbers. */
type Call = ((args: BigUint64Array) => bigint | number) & {
  async(args: BigUint64Array, done: (error: Error | null, result: bigint | number) => void): void;
};

/** One library's functions, called by name. A call gives the fields of its struct, or the address of an error that it raised. */
export class PjrtApi {
  readonly version: string;
  private readonly functions: ReadonlyMap<PjrtFunction, Call>;

  /** `table`: what GetPjrtApi gave; `where` names the device and its library. */
  constructor(table: bigint, where: string) {
    if (table === 0n)
      fail({ where, problem: 'its GetPjrtApi gives no functions', hint: 'The plug-in cannot work here' });
    const head: BigUint64Array = koffi.decode(table, 'uint64_t', TABLE_HEAD);
    const [major, minor] = [Number(head[4] & 0xffffffffn), Number(head[4] >> 32n)];
    this.version = `${major}.${minor}`;
    if (major !== MAJOR || minor < OLDEST_MINOR)
      fail({
        where,
        problem: 'the plug-in speaks another version of the PJRT C interface',
        expected: `${MAJOR}.${OLDEST_MINOR} or a later ${MAJOR}.x`,
        found: this.version,
        hint: major > MAJOR ? 'Take an older plug-in, or a newer halomesh' : 'Take a newer plug-in',
      });
    const known = Number(head[0]);
    this.functions = new Map(
      Object.entries(FUNCTIONS).map(([name, { at }]) => {
        const place = WORD * (TABLE_HEAD + at);
        const address = place + WORD <= known ? BigInt(koffi.decode(table, place, 'uint64_t')) : 0n;
        if (address === 0n)
          fail({
            where,
            problem: `the plug-in has no ${name}`,
            found: `a table of ${known} bytes of version ${this.version}`,
            hint: 'Take a newer plug-in',
          });
        return [name as PjrtFunction, koffi.decode(address, CALL) as Call];
      }),
    );
  }

  /** Calls a function that gives no error, or one whose error is of no matter. */
  call<N extends PjrtFunction>(
    name: N,
    values: Partial<Fields<N>>,
  ): { readonly error: bigint; readonly fields: Fields<N> } {
    const args = struct<string>(FUNCTIONS[name].fields, values);
    return { error: BigInt(this.functions.get(name)!(args)), fields: fieldsOf(name, args) };
  }

  /** The same on a thread of its own: the process does something else meanwhile. */
  async ask<N extends PjrtFunction>(
    name: N,
    values: Partial<Fields<N>>,
  ): Promise<{ readonly error: bigint; readonly fields: Fields<N> }> {
    const args = struct<string>(FUNCTIONS[name].fields, values);
    const error = await new Promise<bigint | number>((resolve, reject) =>
      this.functions.get(name)!.async(args, (failed, result) => (failed ? reject(failed) : resolve(result))),
    );
    return { error: BigInt(error), fields: fieldsOf(name, args) };
  }
}

const fieldsOf = <N extends PjrtFunction>(name: N, args: BigUint64Array): Fields<N> =>
  Object.fromEntries(FUNCTIONS[name].fields.map((field, i) => [field, args[HEAD + i]])) as Fields<N>;
