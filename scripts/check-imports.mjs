// Checks what the compiler cannot: the direction of imports, the length of files, the number of skipped tests.
//
//   node scripts/check-imports.mjs [ROOT]
import { dirname, join, resolve } from 'node:path';
import { checkPure } from './check/pure.mjs';
import { checkRooms, resolve as fileOf } from './check/rooms.mjs';
import { importsOf, scan, skipsOf } from './check/scan.mjs';
import { isTestFile, packageRoot, readJson, readText, walk } from './setup/common.mjs';

const root = resolve(process.argv[2] ?? packageRoot);
const list = (folder, kinds) =>
  walk(join(root, folder))
    .filter((file) => kinds.test(file))
    .map((file) => `${folder}/${file}`);

const mostLines = 300;
const reason = /^\s*\/\/ Over 300 lines:\s*\S/;

const mostFiles = 25;

/** How many files each folder of `files` holds, those of its folders not counted. */
function crowded(files) {
  const counts = new Map();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > mostFiles);
}

/** Files over the limit: { file, lines, excused }, longest first. */
function longFiles(files) {
  const long = [];
  for (const file of files) {
    const lines = readText(join(root, file)).replace(/\n$/, '').split('\n');
    if (lines.length <= mostLines) continue;
    long.push({ file, lines: lines.length, excused: lines.slice(0, 10).some((line) => reason.test(line)) });
  }
  return long.sort((a, b) => b.lines - a.lines);
}

const source = list('src', /\.ts$/);
const scanned = new Map(
  [...source, ...list('test', /\.ts$/), ...list('bench', /\.ts$/)].map((file) => [
    file,
    scan(readText(join(root, file))),
  ]),
);

const imports = new Map([...scanned].map(([file, text]) => [file, importsOf(text)]));
const { problems, count } = checkRooms(imports);
const resolved = [...imports].map(([file, found]) => [
  file,
  found.map((one) => ({ ...one, to: fileOf(file, one.specifier, imports) })),
]);
problems.push(...checkPure(scanned, new Map(resolved)));

const long = longFiles([...source, ...list('native', /\.(c|cc|cpp|h|hpp|inc|inl)$/)]);
for (const { file, lines, excused } of long) {
  if (excused) console.log(`note: ${file} has ${lines} lines, and says why`);
  else problems.push(`${file}:1 has ${lines} lines: split it, or say at the top "// Over 300 lines: why"`);
}

for (const [folder, count] of crowded(source)) {
  problems.push(
    `${folder} holds ${count} files: put those of one subject into a folder, so that none holds over ${mostFiles}`,
  );
}

const tests = [...scanned].filter(([file]) => file.startsWith('test/') || isTestFile(file));
const skips = tests.map(([file, text]) => ({ file, skips: skipsOf(text) })).filter((test) => test.skips > 0);
const skipped = skips.reduce((sum, test) => sum + test.skips, 0);
const allowed = readJson(join(root, 'scripts/skips.json'))?.skips ?? 0;
if (skipped > allowed) {
  const where = skips.map((test) => `${test.file} ${test.skips}`).join(', ');
  problems.push(`scripts/skips.json:1 allows ${allowed} skipped tests and there are ${skipped}: ${where}`);
} else if (skipped < allowed) {
  console.log(`note: only ${skipped} tests are skipped, so scripts/skips.json can go down from ${allowed}`);
}

if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  console.error(`imports: ${problems.length} problems`);
  process.exitCode = 1;
} else {
  console.log(
    `imports: ${scanned.size} files and ${count} imports in order, ` +
      `${long.length} files over ${mostLines} lines that say why, ${skipped} of ${allowed} skips`,
  );
}
