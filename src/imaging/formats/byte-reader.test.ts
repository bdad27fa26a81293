import {
  chmodSync,
  existsSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../volume/errors.ts';
import { ByteReader } from './byte-reader.ts';
import { diskFiles } from './disk-files.ts';

const root = temporaryFolder();
const content = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, n) => (n * 7) ^ (n >> 9)));

function save(name: string, bytes: Buffer): string {
  const file = path.join(root, name);
  writeFileSync(file, bytes);
  return file;
}

/** Files of these tests that this process holds open; none where the system does not say. */
function openFiles(): string[] {
  const folder = '/proc/self/fd';
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((fd) => {
    try {
      const file = readlinkSync(path.join(folder, fd));
      return file.startsWith(realpathSync(root)) ? [file] : [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

describe('ByteReader', () => {
  it.each([
    ['plain', save('plain', content), 'gzip or not'],
    ['gzip', save('packed.gz', gzipSync(content)), 'gzip or not'],
    [
      'two members of gzip',
      save(
        'two.gz',
        Buffer.concat([content.subarray(0, 5), content.subarray(5)].map((part) => gzipSync(part))),
      ),
      'zlib',
    ],
    ['deflate', save('deflated', deflateRawSync(content)), 'deflate'],
  ] as const)('gives the bytes of a %s file in pieces of any size', async (_, file, packing) => {
    const reader = await ByteReader.open(diskFiles, file, { packing });
    const parts = [await reader.take(3), await reader.take(300_000)];
    expect((await reader.take(100_000)).length).toBe(100_000);
    parts.push(await reader.take(10_000_000));
    expect(
      Buffer.concat([...parts.slice(0, 2), content.subarray(300_003, 400_003), parts[2]]).equals(content),
    ).toBe(true);
    expect([await reader.next(), reader.position]).toEqual([undefined, content.length]);
    await reader.close();
    await reader.close();
  });

  it('leaves no file open, wherever it is closed', async () => {
    const files = ['plain', 'packed.gz', 'deflated'].map((name) => path.join(root, name));
    for (let n = 0; n < 60; n++) {
      const reader = await ByteReader.open(diskFiles, files[n % 3], {
        packing: n % 3 === 2 ? 'deflate' : 'gzip or not',
      });
      if (n % 2 === 0) await reader.take(10);
      await reader.close();
    }
    expect(openFiles()).toEqual([]);
  });

  it('tells damage to whoever asks for the bytes, and nobody where nobody does', async () => {
    const packed = gzipSync(content);
    const turned = Buffer.from(packed);
    turned[turned.length - 6] ^= 1;
    for (const [bytes, found] of [
      [packed.subarray(0, 11), /cut short/],
      [packed.subarray(0, packed.length >> 1), /cut short/],
      [turned, /damaged data/],
    ] as const) {
      const file = save('damaged.gz', bytes);
      const closed = await ByteReader.open(diskFiles, file);
      await closed.close();
      const begun = await ByteReader.open(diskFiles, file);
      const taking = begun.take(10).catch(() => undefined);
      await begun.close();
      await taking;
      const reader = await ByteReader.open(diskFiles, file);
      await expect(reader.take(10_000_000)).rejects.toThrow(found);
      await expect(reader.take(1)).rejects.toThrow(ImagingError);
      await reader.close();
    }
  });

  it('says what a path is that cannot be read', async () => {
    const message = async (file: string) => {
      try {
        await (await ByteReader.open(diskFiles, file)).close();
        return 'opened';
      } catch (error) {
        return error instanceof ImagingError ? error.message : 'another error';
      }
    };
    symlinkSync('circle', path.join(root, 'circle'));
    expect(await message(path.join(root, 'circle'))).toMatch(/links that lead in a circle/);
    expect(await message(root)).toMatch(/expected a regular file, found a folder/);
    expect(await message(path.join(root, 'plain', 'x'))).toMatch(/a path that leads through a file/);
    expect(await message('/dev/null')).toMatch(/a device or pipe/);
    expect(await message(`${root}/a\0b`)).toMatch(/a name with a null in it/);
    const closed = save('closed', content);
    chmodSync(closed, 0);
    // Permissions do not bind root.
    expect(await message(closed)).toMatch(process.getuid?.() === 0 ? /opened/ : /no permission/);
  });
});
