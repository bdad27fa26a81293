import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unpickle } from './pickle.ts';
import type { PickleValue } from './pickle-values.ts';
import { halfToFloat, type TorchTensor } from './tensors.ts';
import { openTorch } from './torch-file.ts';
import { torchHost } from './torch-host.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/exchange/${name}`, import.meta.url));

const isTensor = (value: PickleValue): value is TorchTensor =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'tensor';

/** An archive of stored entries; `wide` with all sizes and places in the 64-bit fields. */
function zip(entries: Readonly<Record<string, Buffer>>, { wide = false, method = 0 } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, bytes] of Object.entries(entries)) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const extra = Buffer.alloc(wide ? 28 : 0);
    const head = Buffer.alloc(46);
    head.writeUInt32LE(0x02014b50, 0);
    head.writeUInt16LE(method, 10);
    head.writeUInt32LE(crc32(bytes), 16);
    for (const place of [20, 24]) head.writeUInt32LE(wide ? 0xffffffff : bytes.length, place);
    head.writeUInt16LE(name.length, 28);
    head.writeUInt16LE(extra.length, 30);
    head.writeUInt32LE(wide ? 0xffffffff : at, 42);
    if (wide) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(bytes.length), 4);
      extra.writeBigUInt64LE(BigInt(bytes.length), 12);
      extra.writeBigUInt64LE(BigInt(at), 20);
    }
    directory.push(head, Buffer.from(name), extra);
    parts.push(local, Buffer.from(name), bytes);
    at += 30 + name.length + bytes.length;
  }
  const list = Buffer.concat(directory);
  const count = Object.keys(entries).length;
  const end64 = Buffer.alloc(wide ? 76 : 0);
  if (wide) {
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(BigInt(count), 32);
    end64.writeBigUInt64LE(BigInt(list.length), 40);
    end64.writeBigUInt64LE(BigInt(at), 48);
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(at + list.length), 64);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(wide ? 0xffff : count, 10);
  end.writeUInt32LE(wide ? 0xffffffff : list.length, 12);
  end.writeUInt32LE(wide ? 0xffffffff : at, 16);
  return Buffer.concat([...parts, list, end64, end]);
}

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-torch-'));

function written(name: string, bytes: Buffer): string {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

/** A pickle of a call of an import with no arguments. */
const calling = (name: string): Buffer =>
  Buffer.concat([Buffer.from([0x80, 2]), Buffer.from(`c${name.replace('.', '\n')}\n)R.`, 'latin1')]);

/** A pickle of a tensor of four float32 at key 0, as a view. */
function viewing(offset: number, shape: readonly number[], strides: readonly number[]): Buffer {
  const ints = (values: readonly number[]) => [0x28, ...values.flatMap((n) => [0x4b, n]), 0x74];
  const text = (value: string) => [0x8c, value.length, ...Buffer.from(value)];
  const global = (module: string, name: string) => [...Buffer.from(`c${module}\n${name}\n`)];
  return Buffer.from([
    ...[0x80, 2, ...global('torch._utils', '_rebuild_tensor_v2'), 0x28],
    ...[0x28, ...text('storage'), ...global('torch', 'FloatStorage'), ...text('0'), ...text('cpu'), 0x4b, 4],
    ...[0x74, 0x51, 0x4b, offset, ...ints(shape), ...ints(strides), 0x89, 0x4e, 0x74, 0x52, 0x2e],
  ]);
}

const numbers = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);

describe('files of torch.save', () => {
  it.each(['values.pth', 'values-5.pth'])('reads all that %s holds', async (name) => {
    const file = await openTorch(fixture(name));
    const expected = JSON.parse(readFileSync(fixture('values.json'), 'utf8'));
    const saved = file.value as Map<string, PickleValue>;
    const read: Record<string, unknown> = {};
    for (const [key, value] of saved) {
      if (!isTensor(value)) continue;
      const found = await file.read(value, key);
      read[key] = { shape: value.shape, numbers: Array.from(found as ArrayLike<number | bigint>, Number) };
    }
    expect(read).toEqual(expected);
    const whole = saved.get('long') as TorchTensor;
    expect([...(await file.read(whole, 'long'))]).toEqual([2n ** 62n + 1n, -5n]);
    expect(saved.get('numbers')).toEqual([1, -1, 300, 2 ** 40, 2n ** 70n, 0.5, true, null]);
    expect(saved.get('text')).toBe('Leber, é');
    expect(saved.get('nested')).toEqual(
      new Map<unknown, unknown>([
        ['tuple', [1, [2, 3]]],
        [1, ['x', new Map()]],
        ['set', new Set([4])],
      ]),
    );
    expect(saved.get('numpy')).toEqual([0.25, 0.5, -7, true]);
    expect(saved.get('device')).toBe('cuda:0');
    expect(saved.get('size')).toEqual([1, 2]);
    expect([...(saved.get('state') as Map<string, PickleValue>).keys()]).toEqual(['weight', 'bias']);
    await file.close();
  });

  it('reads files whose writer left the sums out', async () => {
    const file = await openTorch(fixture('no-sums.pth'));
    const tensor = (file.value as Map<string, PickleValue>).get('a') as TorchTensor;
    expect([...(await file.read(tensor, 'a'))]).toEqual([1, 1, 1]);
    await file.close();
  });

  it.each([{ wide: false }, { wide: true }])(
    'reads an archive with $wide 64-bit fields',
    async ({ wide }) => {
      const bytes = zip({ 'x/data.pkl': viewing(3, [2, 2], [0, 0]), 'x/data/0': numbers }, { wide });
      const file = await openTorch(written(`wide-${wide}.pth`, bytes));
      expect([...(await file.read(file.value as TorchTensor, 'w'))]).toEqual([4, 4, 4, 4]);
      await file.close();
    },
  );

  it.each([
    ['os.system'],
    ['builtins.eval'],
    ['builtins.getattr'],
    ['torch.load'],
    ['torch.nn.modules.conv.Conv3d'],
    ['collections.OrderedDict.__init__'],
  ])('refuses a pickle that asks for %s, by name', async (name) => {
    const [module, rest] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
    const pickle = Buffer.from(`\x80\x02c${module}\n${rest}\n)R.`, 'latin1');
    const file = written('foreign.pth', zip({ 'x/data.pkl': pickle }));
    await expect(openTorch(file)).rejects.toThrow(
      `${file}: holds objects of a program, which are never loaded; expected tensors, numbers, texts, lists and dictionaries alone, found ${name}. Load it in PyTorch where you trust it, and save the weights alone: torch.save(model.state_dict(), "weights.pth")`,
    );
  });

  it('refuses a whole module, and a file from before PyTorch 1.6', async () => {
    await expect(openTorch(fixture('module.pth'))).rejects.toThrow('found torch.nn.modules.conv.Conv3d');
    await expect(openTorch(fixture('old.pth'))).rejects.toThrow(
      'expected a zip archive, as torch.save writes since PyTorch 1.6, found the format before PyTorch 1.6',
    );
  });

  it.each<[what: string, bytes: Buffer, message: string]>([
    ['no archive', Buffer.from('weights'), 'is no checkpoint of PyTorch that can be read'],
    ['an empty file', Buffer.alloc(0), 'is no checkpoint of PyTorch that can be read'],
    ['an archive that is cut off', zip({ 'x/data.pkl': numbers }).subarray(0, 60), 'is no whole zip archive'],
    ['packed entries', zip({ 'x/data.pkl': numbers }, { method: 8 }), 'entry "x/data.pkl" is packed'],
    ['no pickle', zip({ 'x/data/0': numbers }), 'expected one entry NAME/data.pkl, found 0'],
    ['a program', zip({ 'x/data.pkl': numbers, 'x/constants.pkl': numbers }), 'is a program (TorchScript)'],
    [
      'another byte order',
      zip({ 'x/data.pkl': numbers, 'x/byteorder': Buffer.from('big') }),
      'byte order of the numbers; expected little, found big',
    ],
    [
      'an old protocol',
      zip({ 'x/data.pkl': Buffer.from('\x80\x01.', 'latin1') }),
      'expected protocol 2 to 5',
    ],
    ['an unknown instruction', zip({ 'x/data.pkl': Buffer.from('\x80\x02\xff', 'latin1') }), 'found 0xff'],
    ['no end', zip({ 'x/data.pkl': Buffer.from('\x80\x02N', 'latin1') }), 'the end of a pickle (STOP)'],
    [
      'a call of a type',
      zip({ 'x/data.pkl': calling('torch.FloatStorage') }),
      'a call of torch.FloatStorage',
    ],
    ['a view beyond its storage', zip({ 'x/data.pkl': viewing(3, [2], [1]) }), 'up to number 4'],
    ['an expanded tensor', zip({ 'x/data.pkl': viewing(0, [200, 200], [0, 0]) }), 'tensor.contiguous()'],
  ])('refuses %s', async (_, bytes, message) => {
    const file = written('bad.pth', bytes);
    await expect(openTorch(file)).rejects.toThrow(message);
    await expect(openTorch(file)).rejects.toThrow(file);
  });

  it('refuses numbers that are missing, too few or damaged, by the name of the tensor', async () => {
    const pickle = { 'x/data.pkl': viewing(0, [4], [1]) };
    const reading = async (bytes: Buffer) => {
      const file = await openTorch(written('numbers.pth', bytes));
      await file.read(file.value as TorchTensor, 'layer.weight').finally(() => file.close());
    };
    await expect(reading(zip(pickle))).rejects.toThrow('tensor "layer.weight"; expected an entry x/data/0');
    await expect(reading(zip({ ...pickle, 'x/data/0': numbers.subarray(4) }))).rejects.toThrow(
      'tensor "layer.weight"; expected 16 bytes in x/data/0, found 12',
    );
    const bytes = zip({ ...pickle, 'x/data/0': numbers });
    bytes[bytes.indexOf(numbers) + 1] ^= 1;
    await expect(reading(bytes)).rejects.toThrow('entry "x/data/0" is damaged');
  });

  it('never waits for a pipe or takes a folder', async () => {
    await expect(openTorch(folder)).rejects.toThrow(folder);
    await expect(openTorch(path.join(folder, 'none.pth'))).rejects.toThrow('cannot be read');
  });
});

describe('pickles', () => {
  it('keep the identity of what is shared', () => {
    // A list in a list, twice, by the memo.
    const value = unpickle(Buffer.from('\x80\x02]q\x00(]q\x01h\x01e.', 'latin1'), torchHost) as PickleValue[];
    expect(value).toEqual([[], []]);
    expect(value[0]).toBe(value[1]);
  });

  it.each([
    '\x80\x02a.',
    '\x80\x02e.',
    '\x80\x02h\x05.',
    '\x80\x02]Nb.',
    '\x80\x02Ns.',
    '\x80\x02}(Nu.',
    '\x80\x02(.',
  ])('refuse what builds nothing: %j', (text) =>
    expect(() => unpickle(Buffer.from(text, 'latin1'), torchHost)).toThrow(/^expected .*, found /),
  );
});

describe('half precision', () => {
  it.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x0001, 2 ** -24],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfe00, Number.NaN],
  ])('0x%s is %d', (bits, value) => expect(halfToFloat(bits)).toBe(value));
});
