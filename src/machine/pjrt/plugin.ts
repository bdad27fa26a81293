import path from 'node:path';
import koffi from 'koffi';
import { fail, HalomeshError, printable } from '../../core/index.ts';
import { type Fields, PjrtApi, type PjrtFunction } from './api.ts';

/** Names of codes of errors; those of abseil's status codes, from 1 on. */
const CODES = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];
const RESOURCE_EXHAUSTED = 'RESOURCE_EXHAUSTED';

/** Characters of a plug-in's message that are told: some give the whole program. */
const MOST_SAID = 2000;

/** Keeps what native code was given the address of from being collected before this is called. */
export const hold = (held: readonly unknown[]): void => void held.length;

/** UTF-8 text that a plug-in keeps. */
export const textAt = (address: bigint, bytes: bigint): string =>
  address === 0n || bytes === 0n
    ? ''
    : Buffer.from(koffi.view(address, Number(bytes)).slice(0)).toString('utf8');

/** A library that implements the PJRT C interface, ready to make clients. */
export class Plugin {
  readonly file: string;
  readonly version: string;
  /** How messages begin. */
  readonly where: string;
  private readonly api: PjrtApi;

  private constructor(file: string, where: string, api: PjrtApi) {
    this.file = file;
    this.where = where;
    this.api = api;
    this.version = api.version;
  }

  /** Opens and checks a library; it is initialised once a process, with the first client. Raises in words what is wrong with it. */
  static load(file: string): Plugin {
    const where = `device pjrt:${file}`;
    const table = tableOf(file, where);
    return new Plugin(file, where, new PjrtApi(table, where));
  }

  /** Calls a function on this thread: for what is short. `about` says what it is done for. */
  call<N extends PjrtFunction>(name: N, values: Partial<Fields<N>>, about?: string): Fields<N> {
    const { error, fields } = this.api.call(name, values);
    if (error !== 0n) throw this.errorOf(error, name, about);
    return fields;
  }

  /** Calls a function on another thread: for what may take long. What the values point to is held by `held` meanwhile. */
  async ask<N extends PjrtFunction>(
    name: N,
    values: Partial<Fields<N>>,
    held: readonly unknown[] = [],
    about?: string,
  ): Promise<Fields<N>> {
    const { error, fields } = await this.api.ask(name, values);
    // Read here, so that it is there until now.
    hold(held);
    if (error !== 0n) throw this.errorOf(error, name, about);
    return fields;
  }

  /** Bytes of a device's memory; undefined where that is not told. */
  memoryOf(device: bigint): number | undefined {
    const { error, fields } = this.api.call('PJRT_Device_MemoryStats', { device });
    if (error !== 0n) {
      // Some plug-ins do not implement it.
      this.api.call('PJRT_Error_Destroy', { error });
      return undefined;
    }
    return (fields.bytesLimitIsSet & 0xffn) === 0n ? undefined : Number(fields.bytesLimit);
  }

  /** What an error of the plug-in says, which is given back. */
  errorOf(error: bigint, name: string, about?: string): HalomeshError {
    const { fields: said } = this.api.call('PJRT_Error_Message', { error });
    const text = textAt(said.message, said.messageSize).trim().slice(0, MOST_SAID);
    const code = this.api.call('PJRT_Error_GetCode', { error });
    if (code.error !== 0n) this.api.call('PJRT_Error_Destroy', { error: code.error });
    this.api.call('PJRT_Error_Destroy', { error });
    const number = Number(code.fields.code & 0xffffffffn);
    const kind = CODES[number - 1] ?? 'of no known name';
    return new HalomeshError({
      where: about === undefined ? this.where : `${this.where}: ${about}`,
      problem: `${name}: ${printable(text) || 'no reason is told'} (${kind}, code ${number})`,
      ...(kind === RESOURCE_EXHAUSTED
        ? { hint: 'Give a --memory-limit, use a smaller size or fewer filters, or split over more devices' }
        : {}),
    });
  }
}

/** The address of a library's table of functions. */
function tableOf(file: string, where: string): bigint {
  const hint =
    'Name the library of a PJRT plug-in, such as libtpu.so of the Python package libtpu or xla_cuda_plugin.so of jax-cuda12-pjrt';
  if (file === '') return fail({ where, problem: 'no library is named', expected: 'pjrt:LIBRARY', hint });
  const load = () => {
    try {
      // A name alone is one of the loader's path.
      return koffi.load(file.includes(path.sep) ? path.resolve(file) : file);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      return fail({ where, problem: `the library cannot be loaded: ${said}`, hint }, { cause: error });
    }
  };
  const library = load();
  try {
    return library.func('void *GetPjrtApi(void)')() as bigint;
  } catch (error) {
    return fail(
      { where, problem: 'it is a library, but no PJRT plug-in: it has no function GetPjrtApi', hint },
      { cause: error },
    );
  }
}
