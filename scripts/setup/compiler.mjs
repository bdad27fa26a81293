// Finds a C++ compiler, and installs g++ with apt-get when there is none and we may.
import { installWithApt } from './apt.mjs';
import { SetupError, which } from './common.mjs';

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

/** The compiler as [program, ...first arguments], installing g++ when none is there. */
export async function ensureCompiler(context) {
  const found = findCompiler();
  if (found) return found;
  await installWithApt(['g++'], cannotInstall, context);
  const installed = findCompiler();
  if (!installed) throw new SetupError(cannotInstall(' even after apt-get installed g++'));
  return installed;
}
