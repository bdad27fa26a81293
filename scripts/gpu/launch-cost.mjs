// What a launch moves and computes, by its printed text and its arguments.

const BYTES = { float: 4, bf16: 2, double: 8, u8: 1, int: 4 };
const ANY = 0x7fffffff;
const product = (list) => list.reduce((a, b) => a * b, 1);

/** The arguments by name: numbers, lists of numbers, and views by address, so that one that is there twice counts once. */
function argumentsOf(text, bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members = /struct Args \{\n([\s\S]*?)\n\};/.exec(text)[1];
  const found = new Map();
  let at = 0;
  const longs = (count) =>
    Array.from({ length: count }, () => {
      at += 8;
      return Number(data.getBigInt64(at - 8, true));
    });
  const ints = (count) => {
    at += 4 * count;
    return Array.from({ length: count }, (_, i) => data.getInt32(at - 4 * (count - i), true));
  };
  for (const [, view, any, divider, pointer, list] of members.matchAll(
    /^ *(?:View<(\w+), \d+> \w+|(AnyView) \w+|(Divider) \w+|[\w ]+(\*)(?:const )?\w+|(?:i64|double) ([^;]+));/gm,
  )) {
    if (view !== undefined) {
      const [address] = longs(1);
      ints(5);
      const size = ints(5);
      longs(5);
      found.set(`view ${address}`, { view: BYTES[view], size });
    } else if (any !== undefined) {
      const [address, type] = longs(3);
      longs(5);
      const size = longs(5);
      longs(5);
      found.set(`view ${address}`, { view: [4, 2, 8, 1, 4][type], size });
    } else if (divider !== undefined) at += 16;
    else if (pointer !== undefined) at += 8;
    else
      for (const one of list.split(', ')) {
        const [, name, count] = /^(\w+)(?:\[(\d+)\])?$/.exec(one);
        found.set(name, count === undefined ? longs(1)[0] : longs(Number(count)));
      }
  }
  return found;
}

/** Positions along n, d, h, w, c that a launch goes over; undefined where its text does not say so. */
function regionOf(text, args, blocks) {
  const cell = [0, 1, 2].map((i) => Number(new RegExp(`cell\\[${i}\\] \\* (\\d+)`).exec(text)?.[1]));
  if (args.has('cells') && cell.every((length) => length > 0))
    return [ANY, ...args.get('cells').map((count, i) => count * cell[i]), ANY];
  if (args.has('out')) {
    const [outputs, high, wide, parts] = ['outputs', 'high', 'wide', 'parts'].map((name) => args.get(name));
    return [blocks / (outputs * high * wide * parts), ...args.get('out'), 16 * outputs];
  }
  return args.get('size');
}

/** Instructions of the rows for a channel of a position: every line over lanes is one, a random number sixteen. */
function instructionsOf(text) {
  const body = /(?:HM_FN void row[\s\S]*?\n\}\n)+/g;
  const rows = [...text.matchAll(body)].map(([all]) => all).join('');
  return (
    (rows.match(/HM_LANES/g)?.length ?? 0) +
    2 * (rows.match(/(?:get|put|round)_lanes/g)?.length ?? 0) +
    (rows.includes('random_') ? 16 : 0)
  );
}

/** Floating-point operations of the tensor cores. */
function flopsOf(title, text, args, region) {
  const found = /^conv\w* (\d+)x(\d+)x(\d+)(?: by (\d+)x(\d+)x(\d+))?.*tensor cores/.exec(title);
  if (found === null) return 0;
  const [d, h, w, ...stride] = found.slice(1).map((x) => Number(x ?? 1));
  const pair = 2 * 256 * d * h * w;
  if (args.has('cells')) {
    const pairs = args.get('inputs') * args.get('outputs');
    const cell = product([0, 1, 2].map((i) => Number(new RegExp(`cell\\[${i}\\] \\* (\\d+)`).exec(text)[1])));
    return pair * pairs * args.get('all') * cell;
  }
  const inputs = args.get('inputs') ?? Number(/inputs = (\d+)/.exec(text)?.[1] ?? 1);
  const outputs = args.get('outputs');
  const positions = product(region.slice(0, 4));
  return (pair * inputs * outputs * positions) / (title.includes('transpose') ? product(stride) : 1);
}

/** Of a launch `{ source, blocks, args }`: its kind, and bytes, floating-point operations of tensor cores, instructions of rows. */
export function costOf({ source: { text, name }, blocks, args: bytes }) {
  const title = /^\/\/ ([^\n]*)/.exec(text)?.[1] ?? name;
  if (text.includes('namespace each_one')) return { title, bytes: 0, flops: 0, operations: 0 };
  const args = argumentsOf(text, bytes);
  const region = regionOf(text, args, blocks);
  const numbers = (size) => product(size.map((x, i) => (x === ANY ? 1 : Math.min(x, region?.[i] ?? ANY))));
  const views = [...args.values()].filter((value) => value?.view !== undefined);
  const moved = views.reduce((sum, { view, size }) => sum + view * numbers(size), 0);
  const rows = region === undefined || args.has('cells') ? 0 : product(region) * instructionsOf(text);
  return { title, bytes: moved, flops: flopsOf(title, text, args, region), operations: rows };
}
