// The compilers in tools/: installed beside the project's own packages when something asks for them, as tools/package-lock.json says.
import { join } from 'node:path';
import { hashOf, packageRoot, readText, run, SetupError, writeAtomic } from '../setup/common.mjs';
import { acquireLock } from '../setup/lock.mjs';
import { npmCommand } from '../setup/npm.mjs';

const folder = join(packageRoot, 'tools');
const stamp = join(folder, 'node_modules/.halomesh-tools');

/** Resolves to the folder with the packages of tools/; throws a SetupError where npm cannot install them. */
export async function installTools(say = () => {}) {
  const wanted = hashOf(readText(join(folder, 'package-lock.json')));
  const isDone = () => readText(stamp)?.trim() === wanted;
  if (!isDone()) {
    const release = await acquireLock(join(packageRoot, 'build/.tools-lock'), say);
    try {
      if (!isDone()) await install(say);
      writeAtomic(stamp, `${wanted}\n`);
    } finally {
      release();
    }
  }
  return join(folder, 'node_modules');
}

async function install(say) {
  say('installing the packages of tools/');
  const [program, ...first] = npmCommand();
  const env = { ...process.env };
  delete env.npm_config_local_prefix; // of the npm that started us, which is for another folder
  const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=dev'];
  const { code, output } = await run(program, args, { cwd: folder, env });
  if (code !== 0)
    throw new SetupError(
      `npm could not install the packages of tools/ (npm ci ended with ${code}):\n${output.trim()}`,
    );
}
