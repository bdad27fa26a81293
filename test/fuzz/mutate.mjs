// Seeded changes of bytes, texts and JSON values: what damage on disks and in transfers does, and what a hostile author would write.

/** Random whole numbers by a counter that is hashed (splitmix32): the same seed gives the same mutants on every machine. */
export class Random {
  constructor(...seeds) {
    this.state = 0;
    for (const seed of seeds) this.state = hash(this.state ^ seed);
  }

  /** A whole number of 0 to count - 1. */
  below(count) {
    this.state = (this.state + 0x9e3779b9) | 0;
    return (hash(this.state) >>> 0) % count;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** True once in `times`. */
  once(times) {
    return this.below(times) === 0;
  }
}

function hash(value) {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

const wholes = [0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const floats = [0, -1, 0.5, Number.NaN, Infinity, -Infinity, 1e38, -3.4e38, 1e-38, 1e-45];
const doubles = [0, -1, Number.NaN, Infinity, 1e308, -1e308, 5e-324, 2 ** 53, -(2 ** 63)];
const longs = [0n, -1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];

/** Numbers as texts, and words that mean something to a header, a shell, a terminal or the language. */
const words = [
  ...[
    '-1',
    '0',
    '1e400',
    'NaN',
    'Infinity',
    '-Infinity',
    '32767',
    '2147483647',
    '4294967296',
    '9007199254740993',
  ],
  ...[
    '0x10',
    '1e3',
    '1e-400',
    '-0',
    '-2',
    '1e15',
    '0.1',
    '1,5',
    '',
    ' ',
    '\u0000',
    '\u001b]0;title\u0007',
    '\u202e',
  ],
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'length', 'null', 'true', '%s%n'],
  ...['.', '..', '/dev/null', '/dev/zero', '/proc/self/mem', '../../../../etc/passwd', 'a/b', 'a\\b'],
  ...[
    'LOCAL',
    'LIST',
    'gzip',
    'raw',
    'None',
    'none',
    'True',
    'int64',
    'uint64',
    'double',
    'MET_DOUBLE',
    'scanner-xyz',
  ],
  ...[
    '(1,0,0)',
    '(NaN,0,0) (0,1,0) (0,0,1)',
    '(0,0,0) (0,0,0) (0,0,0)',
    '(1e308,0,0) (0,1e308,0) (0,0,1e308)',
  ],
  ...['(1e-320,0,0) (0,1,0) (0,0,1)', '0 0 0', '-1 -1 -1', '1 1 1 1', '1e300 1e300 1e300', '1e-300 1 1'],
  ...[
    '32767 32767 32767',
    '2147483647 2147483647 2147483647',
    '9007199254740991 9007199254740991 9007199254740991',
  ],
  'A'.repeat(5000),
];

const values = [
  ...[null, true, false, 0, -1, 1, 0.5, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, 32767],
  ...['', 'x', 'auto', 'NaN', 'constructor', '__proto__', '../../../../x', '/etc/passwd', '\u001b[2J', '\n'],
  ...[[], [[]], [null], [1, 2, 3], ['x'], [1e308], [-1, -1, -1], [0, 0, 0], [2 ** 20, 2 ** 20, 2 ** 20]],
  ...[{}, { a: 1 }, { kind: 'constructor' }, { 0: 'a', 1: 'b' }, { depth: 2 ** 31 }, 'A'.repeat(3000)],
];

const keys = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'length',
    '',
    ' ',
    '0',
    '-1',
    '4294967294',
    '1e3',
  ],
  ...['a.b', '../x', '../../../../x', 'a/b', '\u001b[2J', '\n', 'data', 'kind'],
];

/** Few changes most of the time: of many, the first that is found hides the others. */
const changes = (random, most) => 1 + (random.once(4) ? random.below(most) : 0);

/** Changes bytes; most of them within the first `head`. */
export function mutateBytes(random, bytes, head = 0) {
  let out = Buffer.from(bytes);
  for (let left = changes(random, 8); left > 0 && out.length > 0; left--) {
    const span = head > 0 && !random.once(5) ? Math.min(head, out.length) : out.length;
    out = byteChange(random, out, random.below(span));
  }
  return out;
}

function byteChange(random, bytes, at) {
  const aligned = (size) => at - (at % size);
  const fits = (size) => aligned(size) + size <= bytes.length;
  const some = () => random.below(64);
  switch (random.below(11)) {
    case 0:
    case 1:
      bytes[at] ^= 1 << random.below(8);
      break;
    case 2:
      bytes[at] = random.pick([0, 1, 10, 13, 31, 32, 127, 128, 255]);
      break;
    case 3:
      return Buffer.from(bytes.subarray(0, random.below(bytes.length + 1)));
    case 4: {
      const noise = Buffer.from(Array.from({ length: some() }, () => random.below(256)));
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
    }
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + some())]);
    case 6: {
      const from = random.below(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + some()), bytes.subarray(at)]);
    }
    case 7:
      if (fits(2))
        bytes[random.once(2) ? 'writeUInt16BE' : 'writeUInt16LE'](random.pick(wholes) & 0xffff, aligned(2));
      break;
    case 8:
      if (fits(4)) bytes[random.once(4) ? 'writeUInt32BE' : 'writeUInt32LE'](random.pick(wholes), aligned(4));
      break;
    case 9:
      if (fits(4)) bytes.writeFloatLE(random.pick(floats), aligned(4));
      break;
    default:
      if (fits(8)) {
        if (random.once(2)) bytes.writeDoubleLE(random.pick(doubles), aligned(8));
        else bytes.writeBigInt64LE(random.pick(longs), aligned(8));
      }
  }
  return bytes;
}

/** Changes a text of lines `KEY: VALUE` or `KEY = VALUE`. */
export function mutateText(random, text) {
  const lines = text.split('\n');
  for (let left = changes(random, 4); left > 0; left--) {
    const at = random.below(lines.length);
    const line = lines[at];
    switch (random.below(8)) {
      case 0:
        lines.splice(at, lines.length > 1 ? 1 : 0);
        break;
      case 1:
        lines.splice(at, 0, line);
        break;
      case 2:
      case 3:
      case 4:
        lines[at] = (/^[^:=]*[:=]+\s*/.exec(line)?.[0] ?? '') + random.pick(words);
        break;
      case 5: {
        const tokens = line.split(' ');
        tokens[random.below(tokens.length)] = random.pick(words);
        lines[at] = tokens.join(' ');
        break;
      }
      case 6: {
        const other = random.below(lines.length);
        [lines[at], lines[other]] = [lines[other], line];
        break;
      }
      default: {
        const place = random.below(line.length + 1);
        lines[at] = line.slice(0, place) + String.fromCharCode(random.below(256)) + line.slice(place + 1);
      }
    }
  }
  return lines.join('\n');
}

/** Changes a text of JSON: values, keys, nesting, and now and then its bytes. */
export function mutateJson(random, text) {
  if (random.once(6)) return mutateBytes(random, Buffer.from(text)).toString('latin1');
  if (random.once(200)) return nested(random.pick([10, 1000, 20_000]), random.once(2));
  const root = { value: JSON.parse(text) };
  for (let left = changes(random, 4); left > 0; left--) jsonChange(random, root);
  return JSON.stringify(root.value) ?? '';
}

function nested(depth, list) {
  const [open, close] = list ? ['[', ']'] : ['{"a":', '}'];
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

/** Every place of a value: the object or list that holds it, and its key there. */
function placesOf(holder, key, found = []) {
  found.push([holder, key]);
  const value = holder[key];
  if (value !== null && typeof value === 'object')
    for (const next of Object.keys(value)) placesOf(value, next, found);
  return found;
}

function jsonChange(random, root) {
  const [holder, key] = random.pick(placesOf(root, 'value'));
  const whole = holder === root;
  if (whole && !random.once(10)) return;
  const value = holder[key];
  const list = Array.isArray(holder);
  switch (whole ? 7 : random.below(8)) {
    case 0:
      if (list) holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case 1:
    case 2:
      if (list) holder.push(structuredClone(random.pick(values)));
      else {
        if (random.once(2)) delete holder[key];
        // A property of its own even where the key is __proto__.
        const name = random.once(4) ? `${key}x` : random.pick(keys);
        Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
      }
      break;
    default:
      if (typeof value === 'number' && random.once(2))
        holder[key] = random.pick(values.filter((v) => typeof v === 'number'));
      else if (typeof value === 'string' && random.once(2)) holder[key] = random.pick(words);
      else holder[key] = structuredClone(random.pick(values));
  }
}
