// The native kernels: every native/**/*.cpp, once per instruction set, into build/native/libhalomesh_<isa>.so, or for another kind of
// machine into a folder of its own.
// An object is compiled again when its source, a header that it includes, or its flags changed.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import { dirname, join, posix } from 'node:path';
import { hashOf, readJson, readText, run, SetupError, secondsSince, walk, writeAtomic } from './common.mjs';
import { ensureCompiler } from './compiler.mjs';

const compileFlags =
  '-std=c++17 -O3 -fPIC -fno-math-errno -ffp-contract=fast -fno-trapping-math -fvisibility=hidden -pthread -Wall -Wextra'.split(
    ' ',
  );
const linkFlags = [
  '-shared',
  '-fPIC',
  '-pthread',
  ...(os.platform() === 'linux' ? ['-Wl,--no-undefined'] : []),
];

/** Folders of native/ that are not part of the kernel libraries: the MPI shim needs mpicc, tests have a main, GPUs and WebAssembly compilers of their own. */
const separateFolders = ['mpi/', 'test/', 'bench/', 'cuda/', 'wasm/'];

const avx2Flags = '-mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mmovbe -mpopcnt'.split(' ');
const avx512Flags = [...avx2Flags, ...'-mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl'.split(' ')];

/** `spelled` says the same to compilers that do not know the name of the level. */
const x64InstructionSets = [
  { name: 'avx512', flags: ['-march=x86-64-v4'], spelled: avx512Flags },
  { name: 'avx2', flags: ['-march=x86-64-v3'], spelled: avx2Flags },
  { name: 'base', flags: ['-march=x86-64'], spelled: [] },
];
const setsOf = (arch) => (arch === 'x64' ? x64InstructionSets : [{ name: 'base', flags: [], spelled: [] }]);

/** The kernels of this machine. `chosen` is the compiler that the user named, null for any. */
const here = (root) => ({
  root,
  folder: join(root, 'build/native'),
  sets: setsOf(os.arch()),
  link: linkFlags,
  chosen: process.env.CXX?.trim() || null,
  compiler: ensureCompiler,
});

const stampsPath = ({ folder }) => join(folder, 'stamps.json');
const libraryPath = ({ folder }, isa) => join(folder, `libhalomesh_${isa.name}.so`);
const objectPath = ({ folder }, isa, source) =>
  join(folder, 'obj', isa.name, `${source.replace(/\.cpp$/, '')}.o`);

/** Hash of a source and of all that it includes from native/, directly or not. */
function contentHashes(native, files) {
  const texts = new Map(files.map((file) => [file, readText(join(native, file)) ?? '']));
  const includesOf = new Map();
  for (const [file, text] of texts) {
    const found = [];
    for (const [, name] of text.matchAll(/^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]/gm)) {
      const beside = posix.normalize(posix.join(posix.dirname(file), name));
      for (const candidate of [beside, posix.normalize(name)])
        if (texts.has(candidate)) found.push(candidate);
    }
    // An include whose name is a macro could be any file.
    includesOf.set(file, /^[ \t]*#[ \t]*include[ \t]*[A-Za-z_]/m.test(text) ? [...texts.keys()] : found);
  }
  return (source) => {
    const seen = new Set([source]);
    for (const file of seen) for (const included of includesOf.get(file)) seen.add(included);
    return hashOf(...[...seen].sort().flatMap((file) => [file, texts.get(file)]));
  };
}

/** What was built last time, by hash; nothing when CXX now names another compiler. */
function readStamps(build) {
  const compiler = build.chosen;
  const stamps = readJson(stampsPath(build));
  if (stamps && (compiler === null || compiler === stamps.compiler)) return stamps;
  return { compiler, objects: {}, libraries: {} };
}

/** Sources of the kernels among the files of native/. */
export const sourcesAmong = (files) =>
  files.filter((file) => file.endsWith('.cpp') && !separateFolders.some((folder) => file.startsWith(folder)));

/** What has to be compiled and linked now. */
function plan(build) {
  const native = join(build.root, 'native');
  const files = walk(native);
  const sources = sourcesAmong(files);
  const stamps = readStamps(build);
  const contentHash = contentHashes(native, files);
  const hashes = new Map(sources.map((source) => [source, contentHash(source)]));
  const objects = [];
  const libraries = [];
  for (const isa of sources.length > 0 ? build.sets : []) {
    const parts = sources.map((source) => {
      const key = `${isa.name}/${source}`;
      const hash = hashOf(hashes.get(source), ...compileFlags, ...isa.flags);
      const stale = stamps.objects[key] !== hash || !existsSync(objectPath(build, isa, source));
      return { key, isa, source, hash, stale };
    });
    const hash = hashOf(...parts.flatMap((part) => [part.key, part.hash]), ...build.link);
    const path = libraryPath(build, isa);
    if (stamps.libraries[isa.name] === hash && existsSync(path)) continue;
    objects.push(...parts.filter((part) => part.stale));
    libraries.push({ isa, hash, path, parts });
  }
  return { sources, stamps, objects, libraries };
}

/** Runs `work` on every item, as many at a time as there are cores; starts nothing new after a failure. */
async function inParallel(items, work) {
  const queue = [...items];
  const failures = [];
  const worker = async () => {
    while (queue.length > 0 && failures.length === 0) {
      try {
        await work(queue.shift());
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, os.availableParallelism()) }, worker));
  if (failures.length > 0) throw failures[0];
}

/** The flags of each instruction set in words that this compiler knows. */
async function knownFlags([program, ...first], isas) {
  const flags = new Map();
  for (const isa of isas) {
    const probe = [...first, ...isa.flags, '-x', 'c++', '-fsyntax-only', '/dev/null'];
    flags.set(isa.name, (await run(program, probe)).code === 0 ? isa.flags : isa.spelled);
  }
  return flags;
}

async function compile({ build, compiler: [program, ...first], verbose }, part, isaFlags) {
  const { root } = build;
  const object = objectPath(build, part.isa, part.source);
  const temporary = `${object}.${process.pid}.tmp`;
  mkdirSync(dirname(object), { recursive: true });
  const define = `-DHALOMESH_ISA="${part.isa.name}"`;
  const paths = ['-I', join(root, 'native'), '-c', join(root, 'native', part.source), '-o', temporary];
  const args = [...first, ...compileFlags, ...isaFlags, define, ...paths];
  if (verbose) console.error([program, ...args].join(' '));
  const { code, output } = await run(program, args);
  if (code !== 0) {
    rmSync(temporary, { force: true });
    throw new SetupError(`native/${part.source} did not compile for ${part.isa.name}:\n${output.trim()}`);
  }
  renameSync(temporary, object);
  return output;
}

async function link({ build, compiler: [program, ...first], verbose }, library) {
  const temporary = `${library.path}.${process.pid}.tmp`;
  const objects = library.parts.map((part) => objectPath(build, part.isa, part.source));
  const args = [...first, ...build.link, '-o', temporary, ...objects];
  if (verbose) console.error([program, ...args].join(' '));
  const { code, output } = await run(program, args);
  if (code !== 0) {
    rmSync(temporary, { force: true });
    throw new SetupError(`${library.path} did not link:\n${output.trim()}`);
  }
  renameSync(temporary, library.path);
}

/** Objects of sources that are gone, and temporary files of set-ups that were killed. */
function sweep({ folder }, keys) {
  const objects = join(folder, 'obj');
  for (const file of walk(objects)) {
    if (!keys.has(file.replace(/\.o$/, '.cpp'))) rmSync(join(objects, file), { force: true });
  }
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.tmp')) rmSync(join(folder, file), { force: true });
  }
}

/** Whether everything of a build is as its sources ask. */
const isBuilt = (build) => plan(build).libraries.length === 0;

/** Compiles and links what is missing; says what it does, and which instruction sets it built. */
async function perform(build, { say, verbose }) {
  const { sources, stamps, objects, libraries } = plan(build);
  const compiler = await build.compiler({ say, verbose });
  const context = { build, compiler, verbose };
  const start = performance.now();
  const flags = await knownFlags(compiler, build.sets);
  say(`compiling the native kernels (${objects.length} objects)`);
  const warnings = new Set(); // each once, whatever the number of sources and instruction sets that meet it
  let done = 0;
  const tell = () => {
    done++;
    const tenth = (count) => Math.floor((10 * count) / objects.length);
    if (tenth(done) > tenth(done - 1) && done < objects.length)
      say(`${done} of ${objects.length} objects compiled (${secondsSince(start)})`);
  };
  const save = () => writeAtomic(stampsPath(build), `${JSON.stringify(stamps, null, 1)}\n`);
  try {
    await inParallel(objects, async (part) => {
      delete stamps.objects[part.key];
      const output = await compile(context, part, flags.get(part.isa.name));
      for (const line of output.split('\n')) if (line.includes('warning:')) warnings.add(line);
      stamps.objects[part.key] = part.hash;
      save(); // so that a set-up that is stopped goes on from here
      tell();
    });
    await inParallel(libraries, async (library) => {
      await link(context, library);
      stamps.libraries[library.isa.name] = library.hash;
    });
  } finally {
    for (const line of warnings) console.error(line);
    const keys = new Set(build.sets.flatMap((isa) => sources.map((source) => `${isa.name}/${source}`)));
    for (const key of Object.keys(stamps.objects)) if (!keys.has(key)) delete stamps.objects[key];
    save();
    sweep(build, keys);
  }
  const names = libraries.map((library) => library.isa.name).join(', ');
  say(`native kernels built for ${names} with ${compiler[0]} (${secondsSince(start)})`);
}

export const nativeStep = {
  name: 'native kernels',
  isDone: ({ root }) => isBuilt(here(root)),
  perform: (context) => perform(here(context.root), context),
};

/**
 * Builds the kernels for machines of the architecture `arch` into `folder`, with a compiler for these as [program, ...arguments], and
 * libraries that need nothing of C++ where they run. Resolves to the names of their files.
 */
export async function buildFor({ root, folder, arch, compiler }, context) {
  const link = [...linkFlags, '-static-libstdc++', '-static-libgcc', '-s'];
  const build = {
    root,
    folder,
    sets: setsOf(arch),
    link,
    chosen: compiler.join(' '),
    compiler: () => compiler,
  };
  if (!isBuilt(build)) await perform(build, context);
  return build.sets.map((isa) => libraryPath(build, isa));
}
