// The rooms of src/ and the direction of imports between them: downward only, and never in a circle.
import { posix } from 'node:path';
import { isTestFile } from '../setup/common.mjs';

/** The rooms, lowest first. */
const order = [
  'core',
  'files',
  'ops',
  'nn',
  'plan',
  'stablehlo',
  'machine',
  'run',
  'measure',
  'imaging',
  'train',
  'exchange',
  'app',
  'view',
  'cli',
  'index',
];

/** Lower rooms that a room may not import: pure ones no files, what knows no devices none, and what lies beside it. */
const apart = {
  ops: ['files'],
  nn: ['files'],
  plan: ['files', 'nn'],
  stablehlo: ['files', 'nn'],
  machine: ['nn'],
  run: ['nn', 'stablehlo'],
  measure: ['stablehlo'],
  imaging: ['ops', 'nn', 'plan', 'stablehlo', 'machine', 'run', 'measure'],
  train: ['stablehlo', 'measure'],
  exchange: ['measure'],
  app: ['stablehlo', 'measure'],
  view: ['ops', 'nn', 'plan', 'stablehlo', 'machine', 'run', 'measure', 'exchange'],
  index: ['view'],
};

/** What each room may import besides itself: all that is lower and not apart, and the command line what it is a face of. */
export const mayImport = Object.fromEntries(
  order.map((room, height) => [
    room,
    order.filter((other, n) => n < height && !apart[room]?.includes(other)),
  ]),
);
mayImport.cli.push('index');

/** Rooms within a room, lowest first: a file imports from its own and from lower ones. What stands in none is above all. */
export const layers = {
  imaging: [
    'volume',
    'parts',
    'store',
    'formats',
    'dataset',
    'preprocess',
    'augment',
    'scores',
    'synthetic',
    'check',
  ],
  train: ['config', 'record', 'samples', 'predict', 'pictures', 'evaluate', 'tensorboard', 'loop'],
  exchange: ['torch', 'weights', 'nnunet', 'onnx', 'web', 'stablehlo'],
};

/** How high a file stands within its room, and the name of its layer; null where the room has none. */
function layerOf(file) {
  const [, room, layer, ...rest] = file.split('/');
  if (!layers[room]) return null;
  const height = rest.length > 0 ? layers[room].indexOf(layer) : -1;
  return { height: height < 0 ? layers[room].length : height, name: `${room}/${layer}` };
}

/** What the package gives, to Node.js and to browsers: one room above those that it is made of. */
const entries = ['src/index.ts', 'src/browser.ts'];

/** The room of a file of src/, by its folder; null outside src/. */
function roomOf(file) {
  if (!file.startsWith('src/')) return null;
  if (entries.includes(file)) return 'index';
  const [, folder, ...rest] = file.split('/');
  return rest.length > 0 ? folder : file;
}

/** The file that a specifier names, among `files` (a map or set of paths); null for packages and for what is not there. */
export function resolve(from, specifier, files) {
  if (specifier === 'halomesh') return 'src/index.ts';
  if (specifier === 'halomesh/browser') return 'src/browser.ts';
  if (!specifier.startsWith('.')) return null;
  const path = posix.normalize(posix.join(posix.dirname(from), specifier));
  const candidates = [path, path.replace(/\.js$/, '.ts'), `${path}.ts`, `${path}/index.ts`];
  // A file outside what was read still tells which room it would be in.
  return candidates.find((candidate) => files.has(candidate)) ?? path;
}

/** Why `from` may not import `to`, or null. */
function objection(from, to) {
  const room = roomOf(from);
  const other = roomOf(to);
  if (room === null) return null;
  if (isTestFile(from)) {
    return other === 'cli' && room !== 'cli' ? `a test of room ${room} may not import room cli` : null;
  }
  if (isTestFile(to)) return 'only tests may import a test';
  if (other === null) return 'src may not import from outside src';
  if (room === other) {
    const [mine, theirs] = [layerOf(from), layerOf(to)];
    const up = mine !== null && mine.height < theirs.height;
    return up ? `${mine.name} lies beneath ${theirs.name}` : null;
  }
  if (mayImport[room]?.includes(other)) return null;
  if (!(room in mayImport)) return null; // reported once for the file
  return `room ${room} may not import room ${other}`;
}

/** `files`: a map of path to imports. Returns the violations as lines of text, and how many imports were judged. */
export function checkRooms(files) {
  const problems = [];
  const edges = new Map();
  let count = 0;
  for (const [file, imports] of files) {
    const room = roomOf(file);
    if (room !== null && !(room in mayImport) && !isTestFile(file)) {
      problems.push(`${file}:1 stands in no room: src has ${Object.keys(mayImport).join(', ')}`);
    }
    const targets = new Map();
    for (const { specifier, line, loads } of imports) {
      count++;
      const to = resolve(file, specifier, files);
      if (to === null) continue;
      const why = objection(file, to);
      if (why) problems.push(`${file}:${line} imports ${to}: ${why}`);
      if (loads && files.has(to) && !targets.has(to)) targets.set(to, line);
    }
    edges.set(file, targets);
  }
  return { problems: [...problems, ...cycles(edges)], count };
}

/** One line for each import that closes a circle, found by walking depth first. */
function cycles(edges) {
  const found = [];
  const done = new Set();
  const path = [];
  const visit = (file) => {
    path.push(file);
    for (const [to, line] of edges.get(file)) {
      const at = path.indexOf(to);
      if (at >= 0)
        found.push(`${file}:${line} imports ${to}: circle ${[...path.slice(at), to].join(' -> ')}`);
      else if (!done.has(to)) visit(to);
    }
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) if (!done.has(file)) visit(file);
  return found;
}
