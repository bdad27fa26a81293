// What the shim for MPI answers to arguments that cannot be right: a line of JSON, each call with its state and what it says.
import koffi from 'koffi';

const library = koffi.load(process.argv[2], { global: true });
const error = library.func('hmpi_error', 'str', []);
const types = {
  start: ['int64_t', 'double'],
  enter: ['str'],
  near: ['int32_t'],
  send: ['uint64_t', 'uint64_t', 'int64_t', 'int32_t', 'int32_t'],
  receive: ['uint64_t', 'uint64_t', 'int64_t', 'int32_t', 'int32_t'],
  barrier: ['uint64_t'],
  all_gather: ['uint64_t', 'uint64_t', 'uint64_t', 'int32_t'],
  test: ['uint64_t', 'int32_t'],
  finish: [],
};
const state = Object.fromEntries(
  Object.entries(types).map(([name, given]) => [name, library.func(`hmpi_${name}`, 'int32_t', given)]),
);
const batchOf = library.func('hmpi_batch', 'uint64_t', []);
const allocate = library.func('hmpi_allocate', 'uint64_t', ['int64_t']);
const free = library.func('hmpi_free', 'void', ['uint64_t', 'int64_t']);
const said = [];
const tell = (name, ...args) => {
  const code = state[name](...args);
  said.push(code === 0 ? `${name} 0` : `${name} ${code} ${error()}`);
};
const most = 2n ** 63n - 1n;
const last = 2n ** 64n - 8n;

const early = batchOf();
for (const name of ['send', 'receive']) tell(name, early, 0, 0, 0, 0);
tell('barrier', early);
tell('all_gather', early, 0, 0, 0);
tell('test', early, 0);
tell('near', 0);
tell('finish');
said.push(`rank ${library.func('hmpi_rank', 'int32_t', [])()}`);
for (const [chunk, silence] of [
  [0, 0],
  [-1, 0],
  [2 ** 31, 0],
  [1, -1],
  [1, Number.NaN],
])
  tell('start', chunk, silence);
tell('start', 2 ** 20, 0);
tell('start', 2 ** 20, 0);
tell('enter', null);
for (const rank of [-1, 1, 2 ** 31 - 1]) tell('near', rank);
const room = allocate(4096);
for (const bytes of [0, -1, most]) said.push(`allocate ${allocate(bytes)}`);
free(0, 4096);
free(room, -1);
const batch = batchOf();
for (const name of ['send', 'receive'])
  for (const args of [
    [0, room, 8, 0, 0],
    [batch, 0, 8, 0, 0],
    [batch, room, -8, 0, 0],
    [batch, last, most, 0, 0],
    [batch, room, 8, -1, 0],
    [batch, room, 8, 1, 0],
    [batch, room, 8, 0, -1],
  ])
    tell(name, ...args);
tell('barrier', 0);
for (const args of [
  [0, room, room, 8],
  [batch, 0, room, 8],
  [batch, room, 0, 8],
  [batch, room, room, -8],
])
  tell('all_gather', ...args);
tell('test', 0, 0);
tell('test', batch, -1);
// What is right still works.
tell('receive', batch, room, 8, 0, 3);
tell('send', batch, room, 8, 0, 3);
tell('test', batch, 10_000);
tell('finish');
tell('finish');
tell('start', 2 ** 20, 0);
console.log(JSON.stringify(said));
