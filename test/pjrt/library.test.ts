import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { mesh, range, shape } from '../../src/core/index.ts';
import { deviceEntry, loadDevice } from '../../src/machine/index.ts';
import { Client } from '../../src/machine/pjrt/client.ts';
import { acquire, release } from '../../src/machine/pjrt/clients.ts';
import { pjrtDevice } from '../../src/machine/pjrt/index.ts';
import { Plugin } from '../../src/machine/pjrt/plugin.ts';
import { Session } from '../../src/run/index.ts';
import { resolveConfig } from '../../src/train/config/config.ts';
import { trainingGraph } from '../../src/train/config/model.ts';
import { STUB, settled, stubLive } from './stub.ts';

// What is wrong with a library, a program or a run is said in words, and nothing is left of it.

const given = { STUB_MAJOR: '', STUB_MINOR: '', STUB_MISSING: '', STUB_BYTES: '' };
const set = (settings: Partial<typeof given>) => Object.assign(process.env, settings);
afterEach(() => {
  for (const name of Object.keys(given)) delete process.env[name];
});

const TEXT = (operation: string) =>
  [
    'module @m attributes {mhlo.num_partitions = 1 : i32} {',
    'func.func public @main(%arg0: tensor<2xf32>, %arg1: tensor<3xf32>) -> (tensor<2xf32>) {',
    `%0 = ${operation}`,
    'return %0 : tensor<2xf32>',
    '}',
    '}',
  ].join('\n');

describe('a library that is no PJRT plug-in is refused', () => {
  it('where there is none, or it is none', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'pjrt-'));
    const text = path.join(folder, 'text.so');
    writeFileSync(text, 'no library');
    expect(() => Plugin.load(path.join(folder, 'none.so'))).toThrow(
      /none\.so: the library cannot be loaded: .*No such file/,
    );
    expect(() => Plugin.load(text)).toThrow(/text\.so: the library cannot be loaded: .*(ELF|too short)/);
    rmSync(folder, { recursive: true });
  });

  it('where it has no GetPjrtApi', () => {
    expect(() => Plugin.load('libc.so.6')).toThrow(
      'device pjrt:libc.so.6: it is a library, but no PJRT plug-in: it has no function GetPjrtApi',
    );
  });

  it('where it speaks another version or lacks a function', () => {
    set({ STUB_MINOR: '40' });
    expect(() => Plugin.load(STUB)).toThrow(
      'another version of the PJRT C interface; expected 0.57 or a later 0.x, found 0.40. Take a newer plug-in',
    );
    set({ STUB_MAJOR: '1', STUB_MINOR: '2' });
    expect(() => Plugin.load(STUB)).toThrow('found 1.2. Take an older plug-in, or a newer halomesh');
    set({ STUB_MAJOR: '0', STUB_MINOR: '90', STUB_MISSING: '55' });
    expect(() => Plugin.load(STUB)).toThrow('the plug-in has no PJRT_LoadedExecutable_Execute');
  });
});

it('is told of by name, and by the flag and the config', async () => {
  await loadDevice(`pjrt:${STUB}`);
  expect(deviceEntry(`pjrt:${STUB}`).available()).toEqual({
    available: true,
    note: '2 x stub device (stub, for tests only), PJRT C interface 0.90',
  });
  await loadDevice('pjrt:libc.so.6');
  expect(deviceEntry('pjrt:libc.so.6').available()).toMatchObject({ available: false });
  expect(() => deviceEntry('pjrt:libc.so.6').bytes?.()).toThrow('no PJRT plug-in');
  // Plans are made without a plug-in.
  expect(deviceEntry('pjrt:libc.so.6').target().name).toBe('pjrt');
  expect(resolveConfig({ data: 'x', out: 'y', device: `pjrt:${STUB}` }).device).toBe(`pjrt:${STUB}`);
  expect(() => resolveConfig({ data: 'x', out: 'y', device: 'pjrt:' })).toThrow('pjrt:LIBRARY');
});

describe('what a plug-in raises', () => {
  const code = async (text: string, run = false): Promise<string> => {
    const before = stubLive();
    const client = await acquire(STUB);
    let said = '';
    const made: bigint[] = [];
    try {
      const [device] = client.devices;
      const executable = await client.compile(text, device, 'conv "down0" on rank 3');
      if (run) {
        const data = new Uint8Array(12);
        made.push(
          await client.upload(data, { dtype: 'f32', sizes: [2] }, device, 'upload'),
          await client.upload(data, { dtype: 'f32', sizes: [3] }, device, 'upload'),
        );
        const { event, outputs } = await client.execute(executable, made, 1, 'conv "down0" on rank 3');
        made.push(...outputs);
        await client.settled(event, 'conv "down0" on rank 3').catch((error: Error) => {
          said = error.message;
        });
      }
      client.freeExecutable(executable);
    } catch (error) {
      said = (error as Error).message;
    }
    for (const buffer of made) client.freeBuffer(buffer);
    expect(client.live).toEqual({ buffers: 0, executables: 0, events: 0 });
    release(STUB, client);
    expect(stubLive()).toBe(before);
    return said;
  };

  it('is told with its code, the operation and the rank: by the compiler', async () => {
    expect(await code(TEXT('stablehlo.fft %arg0 : tensor<2xf32>'))).toBe(
      `device pjrt:${STUB}: conv "down0" on rank 3: PJRT_Client_Compile: the stub has no operation fft (UNIMPLEMENTED, code 12)`,
    );
  });

  it('and later, by the run', async () => {
    expect(await code(TEXT('stablehlo.add %arg0, %arg1 : tensor<2xf32>'), true)).toMatch(
      /conv "down0" on rank 3: PJRT_Event_Await: sizes differ.*\(INVALID_ARGUMENT, code 3\)$/,
    );
  });
});

it('raises where one waits what did not fit, and ends in order', async () => {
  const before = stubLive();
  const device = pjrtDevice(STUB);
  const dims = shape({ width: 50 });
  const box = [range(0, 50)];
  const type = {
    shape: dims,
    dtype: 'f32',
    format: device.target.plain({ shape: dims, dtype: 'f32' }),
  } as const;
  const memory = device.allocate(400);
  const [a, b] = [0, 200].map((offset) => device.tensor(memory, offset, type, box));
  set({ STUB_BYTES: '100' });
  device.upload(a, box, new Float32Array(50));
  device.combine([a, b], 'sum').run();
  await expect(device.done()).rejects.toThrow(
    /combine \(sum\): PJRT_Client_BufferFromHostBuffer: 200 bytes do not fit \(RESOURCE_EXHAUSTED, code 8\)\. Give a --memory-limit/,
  );
  await expect(device.download(a, box)).rejects.toThrow('RESOURCE_EXHAUSTED');
  device.free(memory);
  device.close();
  expect(await settled(stubLive, before)).toBe(before);
});

it('names the position of a label that is no class', async () => {
  const device = pjrtDevice(STUB);
  const config = resolveConfig({ data: 'x', out: 'y', base: 2, levels: 2, augmentation: 'none', batch: 1 });
  const session = new Session({ device, mesh: mesh({}), layout: {}, seed: 3 });
  const program = await session.load(trainingGraph(config, 3, [2, 4, 5]).graph);
  const labels = new Uint8Array(40);
  labels[1 * 4 * 5 + 2 * 5 + 3] = 7;
  const feeds = {
    labels,
    image: new Float32Array(40),
    step: Int32Array.of(0),
    learning_rate: Float64Array.of(0.01),
  };
  await expect(program.run(feeds, ['loss'])).rejects.toThrow(
    /label out of range at batch 0, depth 1, height 2, width 3; expected a whole number from 0 to 2, found 7/,
  );
  program.free();
  session.close();
  device.close();
});

it('one client serves all devices of a library, by whatever path', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pjrt-'));
  const other = path.join(folder, 'stub.so');
  copyFileSync(STUB, other);
  const clients = await Promise.all([acquire(other), acquire(path.join(folder, '.', 'stub.so'))]);
  expect(clients[0]).toBeInstanceOf(Client);
  expect(clients[0]).toBe(clients[1]);
  for (const client of clients) release(other, client);
  rmSync(folder, { recursive: true });
});
