import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { importNnunet, openTorch } from '../../../dist/exchange/index.js';
import { mutateBytes, mutateJson } from '../mutate.mjs';

const FILE = 'weights.pth';
const fixture = (name) => readFileSync(new URL(`../../fixtures/exchange/${name}`, import.meta.url));

/** The entries of an archive of stored entries without a 64-bit directory. */
function entriesOf(bytes) {
  const end = bytes.length - 22;
  const entries = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((place) => bytes.readUInt16LE(at + place));
    const [size, local] = [24, 42].map((place) => bytes.readUInt32LE(at + place));
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    entries.push([bytes.toString('utf8', at + 46, at + 46 + name), bytes.subarray(from, from + size)]);
    at += 46 + name + extra + comment;
  }
  return entries;
}

/** An archive of stored entries, whose sums fit, or are left out. */
function archive(entries, sums) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, bytes] of entries) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const head = Buffer.alloc(46);
    head.writeUInt32LE(0x02014b50, 0);
    if (sums) head.writeUInt32LE(crc32(bytes), 16);
    for (const place of [20, 24]) head.writeUInt32LE(bytes.length, place);
    head.writeUInt16LE(name.length, 28);
    head.writeUInt32LE(at, 42);
    directory.push(head, Buffer.from(name));
    parts.push(local, Buffer.from(name), bytes);
    at += 30 + name.length + bytes.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}

/** Checkpoints of PyTorch: the archive is damaged, or within a sound one the pickle or the numbers. */
export function torch() {
  const seeds = ['values.pth', 'values-5.pth', 'no-sums.pth']
    .map(fixture)
    .map((bytes) => ({ bytes, entries: entriesOf(bytes) }));
  return {
    mutant(random) {
      const { bytes, entries } = random.pick(seeds);
      if (random.once(3)) {
        // The directory and the end stand last.
        const from = bytes.length - random.below(1500);
        const tail = mutateBytes(random, bytes.subarray(Math.max(0, from)));
        return {
          [FILE]: random.once(3)
            ? mutateBytes(random, bytes)
            : Buffer.concat([bytes.subarray(0, Math.max(0, from)), tail]),
        };
      }
      const at = random.once(4)
        ? random.below(entries.length)
        : entries.findIndex(([name]) => name.endsWith('data.pkl'));
      const changed = entries.map(([name, content], n) => [
        name,
        n === at ? mutateBytes(random, content) : content,
      ]);
      return { [FILE]: archive(changed, random.once(2)) };
    },
    async read(folder) {
      const file = await openTorch(path.join(folder, FILE));
      try {
        if (!(file.value instanceof Map)) return undefined;
        for (const [name, value] of file.value) {
          if (value?.kind !== 'tensor') continue;
          const { length } = await file.read(value, String(name));
          if (length !== value.shape.reduce((a, b) => a * b, 1))
            return `${length} numbers of the shape ${value.shape}`;
        }
      } finally {
        await file.close();
      }
      return undefined;
    },
  };
}

/** Results of nnU-Net whose plans or data set are damaged. */
export function nnunet() {
  const [plans, dataset] = ['plans.json', 'dataset.json'].map((name) => fixture(`nnunet/${name}`).toString());
  const checkpoint = fixture('nnunet/fold_0/checkpoint_final.pth');
  return {
    mutant: (random) => {
      const which = random.below(4);
      return {
        'result/plans.json': which > 0 ? mutateJson(random, plans) : plans,
        'result/dataset.json': which === 0 ? mutateJson(random, dataset) : dataset,
        'result/checkpoint_final.pth': checkpoint,
      };
    },
    async read(folder) {
      const out = path.join(folder, 'run');
      const { config } = await importNnunet({ nnunet: path.join(folder, 'result'), out });
      if (!(config.classes?.length >= 2)) return `classes ${config.classes}`;
      return undefined;
    },
  };
}
