// Finds a C++ compiler, and installs g++ with apt-get when there is none and we may.
import { run, SetupError, secondsSince, which } from './common.mjs';

const candidates = ['g++', 'clang++', 'c++'];

const cannotInstall = (why) =>
  `no C++ compiler was found${why}: install the package g++ ` +
  '(as root: apt-get update && apt-get install g++) or set CXX to a compiler, and run the same command again.';

/** The compiler as [program, ...first arguments], or null; CXX goes first when it is set. */
export function findCompiler() {
  const chosen = process.env.CXX?.trim();
  if (chosen) {
    const [program, ...args] = chosen.split(/\s+/);
    const path = which(program);
    if (path) return [path, ...args];
    throw new SetupError(
      `CXX is set to "${chosen}" but ${program} is not a program on the PATH: correct CXX or unset it to use g++.`,
    );
  }
  for (const candidate of candidates) {
    const path = which(candidate);
    if (path) return [path];
  }
  return null;
}

/** The words that run a program as root, or null when we may not. */
async function asRoot() {
  if (process.getuid?.() === 0) return [];
  const sudo = which('sudo');
  if (!sudo) return null;
  return (await run(sudo, ['-n', 'true'])).code === 0 ? [sudo, '-n'] : null;
}

/** apt-get takes a name that it does not know for a pattern and installs what matches, so this asks first. */
async function aptKnows(name) {
  const { output } = await run(which('apt-cache') ?? 'apt-cache', ['madison', name]);
  return output.split('\n').some((line) => line.trim().startsWith(`${name} |`));
}

async function installWithApt(name, { say, verbose }) {
  const apt = which('apt-get');
  if (!apt) throw new SetupError(cannotInstall(''));
  const prefix = await asRoot();
  if (!prefix) throw new SetupError(cannotInstall(' and only root may install one'));
  const start = performance.now();
  say(`installing ${name} with apt-get`);
  // sudo clears the environment, so the setting travels as an argument of env.
  const [program, ...first] = [...prefix, which('env') ?? 'env', 'DEBIAN_FRONTEND=noninteractive', apt];
  const update = await run(program, [...first, 'update'], { echo: verbose });
  const install = (await aptKnows(name))
    ? await run(program, [...first, 'install', '-y', '--no-install-recommends', name], { echo: verbose })
    : { code: 1, output: `E: apt knows no package ${name}` };
  if (install.code !== 0) {
    const lines = `${update.output}\n${install.output}`.split('\n').filter((line) => /^(E|Err):/.test(line));
    const said = lines.at(-1)?.trim() ?? `apt-get install ended with ${install.code}`;
    throw new SetupError(cannotInstall(` and apt-get could not install one (${said})`));
  }
  say(`${name} installed (${secondsSince(start)})`);
}

/** The compiler as [program, ...first arguments], installing g++ when none is there. */
export async function ensureCompiler(context) {
  const found = findCompiler();
  if (found) return found;
  await installWithApt('g++', context);
  const installed = findCompiler();
  if (!installed) throw new SetupError(cannotInstall(' even after apt-get installed g++'));
  return installed;
}
