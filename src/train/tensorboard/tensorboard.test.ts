import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeEvent } from './events.ts';
import { crc32c, record } from './records.ts';
import { EventWriter } from './writer.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-events-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('records have the check sums of RFC 3720, masked', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  const version = encodeEvent({ kind: 'version' }, 0, 1);
  expect(record(version).readBigUInt64LE(0)).toBe(BigInt(version.length));
  expect(record(Buffer.alloc(0)).length).toBe(16);
});

it('events are what the protocol says, byte for byte', () => {
  const hex = (...parts: string[]): string => parts.join('').replaceAll(' ', '');
  const time = hex('09', '000000000000f83f'); // field 1, eight bytes: 1.5
  expect(encodeEvent({ kind: 'start' }, 300, 1.5).toString('hex')).toBe(hex(time, '10 ac02', '3a 02 0801'));
  const scalar = hex('0a 01 61', '15 0000003f'); // tag "a", 0.5
  expect(encodeEvent({ kind: 'summary', scalars: { a: 0.5 } }, 1, 1.5).toString('hex')).toBe(
    hex(time, '10 01', '2a 0a', '0a 08', scalar),
  );
  const png = Uint8Array.of(7, 9);
  const image = hex('08 02', '10 03', '18 03', '22 02 0709'); // height, width, RGB, bytes
  expect(
    encodeEvent({ kind: 'summary', images: { b: { width: 3, height: 2, png } } }, 1, 1.5).toString('hex'),
  ).toBe(hex(time, '10 01', '2a 11', '0a 0f', '0a 01 62', '22 0a', image));
});

describe('a file of events', () => {
  it('begins with the version and the step from which it counts, and leaves out what is no number', async () => {
    const writer = await EventWriter.open(folder, 5);
    await writer.scalars(5, { loss: 1, dice: null, none: undefined, far: Number.NaN });
    const events = readFileSync(writer.file);
    const texts: string[] = [];
    for (let at = 0; at < events.length; ) {
      const length = Number(events.readBigUInt64LE(at));
      expect(events.subarray(at, at + length + 16)).toEqual(
        record(events.subarray(at + 12, at + 12 + length)),
      );
      texts.push(events.subarray(at + 12, at + 12 + length).toString('latin1'));
      at += length + 16;
    }
    expect(texts.length).toBe(3);
    expect(texts[0]).toContain('brain.Event:2');
    expect(texts[1].endsWith('\x10\x05\x3a\x02\x08\x01')).toBe(true);
    expect(texts[2]).toContain('loss');
    expect(texts[2]).not.toMatch(/dice|none|far/);
  });

  it('is a new one for each start, later by its name', async () => {
    const writer = await EventWriter.open(folder, 1);
    const future = 'events.out.tfevents.9999999998.host.halomesh';
    writeFileSync(path.join(folder, future), '');
    const next = await EventWriter.open(folder, 1);
    expect(path.basename(next.file)).toMatch(/^events\.out\.tfevents\.9999999999\./);
    expect(readdirSync(folder).filter((name) => name === path.basename(writer.file)).length).toBe(1);
  });
});
