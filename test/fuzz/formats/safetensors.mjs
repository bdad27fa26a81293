import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { loadCheckpoint, openSafetensors, writeSafetensors } from '../../../dist/train/index.js';
import { mutateBytes, mutateJson } from '../mutate.mjs';

const FILE = 'weights.safetensors';
const shapes = { a: [2, 3], b: [4], 'c/adam/m': [2, 2] };
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
const lengths = [0n, 1n, 2n ** 28n, 2n ** 28n + 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

/** A small checkpoint, of which the length of the header, the header or the numbers are damaged. */
async function mutants(folder) {
  const file = path.join(folder, FILE);
  mkdirSync(folder, { recursive: true });
  const tensors = Object.entries(shapes).map(([name, shape]) => ({
    name,
    dtype: name === 'b' ? 'F64' : 'F32',
    shape,
    data: () => (name === 'b' ? Float64Array : Float32Array).from({ length: sizeOf(shape) }, (_, i) => i + 1),
  }));
  await writeSafetensors(file, tensors, {
    format: 'halomesh checkpoint 1',
    step: '5',
    config: '{}',
    best: '{}',
  });
  const whole = readFileSync(file);
  const end = 8 + Number(whole.readBigUInt64LE());
  const json = whole.toString('utf8', 8, end).trim();
  return (random) => {
    if (random.once(8)) return { [FILE]: mutateBytes(random, whole, end) };
    const data = numbers(random, whole.subarray(end));
    let text = random.once(3) ? json : mutateJson(random, json);
    if (random.once(4)) text = otherForm(random, text);
    let head = Buffer.from(text, random.once(9) ? 'latin1' : 'utf8');
    // Half of them say of themselves what they are: what stands behind the sums is reached.
    if (random.once(2)) head = random.once(4) ? withoutSums(head) : summedAnew(head, data);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(
      random.once(12) ? random.pick([...lengths, BigInt(head.length + 1)]) : BigInt(head.length),
    );
    return { [FILE]: Buffer.concat([length, head, data]) };
  };
}

/** The numbers as they are, damaged, or with one that is not finite (or is the least or most of its type). */
function numbers(random, whole) {
  const data = Buffer.from(whole);
  if (random.once(4)) return mutateBytes(random, data);
  const bad = [Number.NaN, Infinity, -Infinity, 3.4e38, 1e-45, -0];
  switch (random.below(4)) {
    case 0:
      data.writeFloatLE(random.pick(bad), 4 * random.below(data.length / 4));
      break;
    case 1:
      data.writeDoubleLE(random.pick(bad), 8 * random.below(data.length / 8));
  }
  return data;
}

const entry = (from, to, shape = [(to - from) / 4], dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [from, to] });

/** The header as text in a form that values alone do not have: keys twice, blanks, places of tensors over and beside each other. */
function otherForm(random, text) {
  const [at, other] = [8 * random.below(12), 8 * random.below(12)];
  const added = [
    ...['"a"', '"b"', '"\\u0061"', '"d"', '""', '"__metadata__"'].map((key) => `${key}:${entry(at, other)}`),
    ...['"d"', '"a"'].map((key) => `${key}:${entry(at, at, [0])}`),
    `"d":${entry(at, at, [2 ** 53, 0])}`,
    `"d":${entry(at, at + 8, [], 'F64')}`,
    ...['{}', '{"a":"x"}', '{"crc32":"{}"}', '{"header_crc32":"00000000"}'].map(
      (value) => `"__metadata__":${value}`,
    ),
  ];
  const add = random.pick(added);
  switch (random.below(6)) {
    case 0:
      return text.replace(/\}$/, `,${add}}`);
    case 1:
      return text.replace('{', `{${add},`);
    case 2:
      return `${random.pick([' ', '\n', '\ufeff', '\0', '[', '// ', ''])}${text}${random.pick([' ', '\n', '\0', '{}', ']', ''])}`;
    case 3:
      return text.replace(/\[\d+,\d+\]/, `[${at},${other}]`);
    case 4:
      return text.replace(/"shape":\[[\d,]*\],"data_offsets":\[\d+,\d+\]/, entry(at, other).slice(15, -1));
    default:
      return text.replaceAll(random.pick([',', ':', '{']), (mark) => `${mark} `);
  }
}

const OWN = /"header_crc32"(\s*):(\s*)"[0-9a-f]{8}"/;
const SUMS = /"crc32"(\s*):(\s*)"\{(?:[^"\\]|\\.)*\}"/;
const hex = (sum) => sum.toString(16).padStart(8, '0');

/** A header with the sums of its tensors and of itself, where it is one that has them. */
function summedAnew(head, data) {
  let text = head.toString('latin1');
  try {
    const sums = {};
    for (const [name, { data_offsets: offsets }] of Object.entries(JSON.parse(head.toString()))) {
      if (name === '__metadata__') continue;
      sums[name] = hex(crc32(Array.isArray(offsets) ? data.subarray(offsets[0], offsets[1]) : data));
    }
    const told = Buffer.from(JSON.stringify(JSON.stringify(sums))).toString('latin1');
    text = text.replace(SUMS, (_, before, after) => `"crc32"${before}:${after}${told}`);
  } catch {
    // No JSON has sums of tensors.
  }
  const zeros = '00000000';
  const own = (sum) => text.replace(OWN, (_, before, after) => `"header_crc32"${before}:${after}"${sum}"`);
  return Buffer.from(own(hex(crc32(Buffer.from(own(zeros), 'latin1')))), 'latin1');
}

/** A header as other programs write it. */
const withoutSums = (head) =>
  Buffer.from(
    head
      .toString('latin1')
      .replace(new RegExp(`,\\s*${SUMS.source}`), '')
      .replace(new RegExp(`,\\s*${OWN.source}`), ''),
    'latin1',
  );

/** What is wrong with the tensors of a file; undefined where they are finite and lie in the file one behind the other. */
async function unsound(file, bytes) {
  const places = [];
  for (const [name, { dtype, shape, offsets }] of file.tensors) {
    const size = sizeOf(shape);
    if (offsets[1] - offsets[0] !== size * { F32: 4, F64: 8 }[dtype])
      return `tensor ${name} has other bytes than its shape`;
    const read = await file.read(name);
    if (read.length !== size) return `${read.length} numbers of the shape ${shape}`;
    if (!read.every(Number.isFinite)) return `tensor ${name} has numbers that are not finite`;
    places.push(offsets);
  }
  const start = 8 + Number(bytes.readBigUInt64LE());
  const inOrder = places.sort(([a, b], [c, d]) => a - c || b - d);
  const ends = [0, ...inOrder.map(([, to]) => to)];
  if (inOrder.some(([from], i) => from !== ends[i])) return 'tensors lie over each other or apart';
  return start + ends.at(-1) === bytes.length ? undefined : 'there are bytes of no tensor';
}

export async function safetensors(folder) {
  return {
    mutant: await mutants(folder),
    async read(place, files) {
      const file = await openSafetensors(path.join(place, FILE));
      try {
        return await unsound(file, files[FILE]);
      } finally {
        await file.close();
      }
    },
  };
}

/** What a network takes of it. */
export async function checkpoint(folder) {
  return {
    mutant: await mutants(folder),
    async read(place) {
      const taken = new Map();
      const state = {
        names: () => Object.keys(shapes),
        types: new Map(
          Object.entries(shapes).map(([name, shape]) => [
            name,
            { dtype: 'f32', shape: shape.map((size) => ({ size })) },
          ]),
        ),
        set: (name, data) => taken.set(name, data),
      };
      const { step } = await loadCheckpoint(path.join(place, FILE), state);
      if (!Number.isSafeInteger(step) || step < 0) return `step ${step}`;
      for (const [name, shape] of Object.entries(shapes)) {
        const data = taken.get(name);
        if (data?.length !== sizeOf(shape)) return `tensor ${name} has ${data?.length} numbers`;
        if (!data.every(Number.isFinite)) return `tensor ${name} has numbers that are not finite`;
      }
      return undefined;
    },
  };
}
