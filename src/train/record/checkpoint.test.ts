import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Graph, mesh, type Shape, shape } from '../../core/index.ts';
import { cpuDevice, type Device, referenceDevice } from '../../machine/index.ts';
import { add, variableOf } from '../../ops/index.ts';
import { Session } from '../../run/index.ts';
import { resolveConfig } from '../config/config.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { openSafetensors, writeSafetensors } from './safetensors.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = resolveConfig({ data: '/d', out: '/o' });

/** A session with two variables, cut over three ranks. */
async function sessionWith(a: Shape, device: Device, seed: number): Promise<Session> {
  const graph = new Graph();
  const make = (name: string, dims: Shape) =>
    variableOf(graph, {
      name,
      shape: dims,
      dtype: 'f32',
      init: { kind: 'normal', deviation: 1 },
      trainable: true,
    });
  const [x, y] = [make('net/a', a), make('net/b', shape({ channel: 2 }))];
  graph.output('a', add(x, x));
  graph.output('b', add(y, y));
  const session = new Session({ device, mesh: mesh({ m: 3 }), layout: { channel: 'm' }, seed });
  await session.load(graph);
  return session;
}

const ab = shape({ kernel: 3, channel: 5 });

describe.each([
  ['cpu', () => cpuDevice({ threads: 1 }), Float32Array],
  ['reference', () => referenceDevice(), Float64Array],
] as const)('checkpoint on the %s device', (name, device, kind) => {
  const file = path.join(folder, `${name}.safetensors`);

  it('gives back every bit, on any mesh', async () => {
    const { variables } = await sessionWith(ab, device(), 1);
    await saveCheckpoint(file, { variables, step: 12, config, metadata: { note: 'µ' } });
    const { variables: other } = await sessionWith(ab, device(), 2);
    expect(await other.get('net/a')).not.toEqual(await variables.get('net/a'));
    const { step, metadata } = await loadCheckpoint(file, other);
    expect(step).toBe(12);
    expect(metadata.note).toBe('µ');
    expect(JSON.parse(metadata.config)).toEqual(config);
    for (const variable of ['net/a', 'net/b']) {
      expect(await other.get(variable)).toBeInstanceOf(kind);
      expect(await other.get(variable)).toEqual(await variables.get(variable));
    }
    expect(readdirSync(folder).filter((entry) => entry.endsWith('.partial'))).toEqual([]);
  });

  it('names the tensor that does not fit', async () => {
    const { variables } = await sessionWith(shape({ kernel: 3, channel: 4 }), device(), 1);
    await expect(loadCheckpoint(file, variables)).rejects.toThrow(
      'shape of tensor "net/a"; expected [3, 4], found [3, 5]',
    );
  });
});

describe('safetensors', () => {
  const file = path.join(folder, 'small.safetensors');

  it('has the layout of the format', async () => {
    await writeSafetensors(
      file,
      [
        { name: 'one', dtype: 'F32', shape: [2, 1], data: () => Float32Array.of(1, 2) },
        { name: 'two', dtype: 'F64', shape: [], data: () => Float64Array.of(3) },
      ],
      { key: 'text' },
    );
    const bytes = readFileSync(file);
    const length = Number(bytes.readBigUInt64LE());
    expect((8 + length) % 8).toBe(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({
      __metadata__: { key: 'text', crc32: expect.any(String), header_crc32: expect.any(String) },
      two: { dtype: 'F64', shape: [], data_offsets: [0, 8] },
      one: { dtype: 'F32', shape: [2, 1], data_offsets: [8, 16] },
    });
    expect(bytes.length).toBe(8 + length + 16);
    const opened = await openSafetensors(file);
    expect(opened.metadata).toEqual({ key: 'text' });
    expect(await opened.read('one')).toEqual(Float32Array.of(1, 2));
    expect(await opened.read('two')).toEqual(Float64Array.of(3));
    await opened.close();
  });

  it('refuses damaged files by name, and keeps the old one where writing fails', async () => {
    const cut = path.join(folder, 'cut.safetensors');
    writeFileSync(cut, readFileSync(file));
    truncateSync(cut, readFileSync(file).length - 4);
    await expect(openSafetensors(cut)).rejects.toThrow(
      /cut\.safetensors: is no whole safetensors file; expected tensor "one"/,
    );
    writeFileSync(cut, 'no');
    await expect(openSafetensors(cut)).rejects.toThrow('at least 8 bytes, found 2');
    writeFileSync(cut, Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{x}')]));
    await expect(openSafetensors(cut)).rejects.toThrow('its header is not JSON');
    const before = readFileSync(file);
    const wrong = { name: 'one', dtype: 'F32', shape: [3], data: () => Float32Array.of(1) } as const;
    await expect(writeSafetensors(file, [wrong], {})).rejects.toThrow(
      'numbers of tensor "one"; expected 12 bytes, found 4',
    );
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(folder).filter((entry) => entry.endsWith('.partial'))).toEqual([]);
  });
});
