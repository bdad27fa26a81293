// Installs Debian packages where we may.
import { run, SetupError, secondsSince, which } from './common.mjs';

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

/** Installs packages; where that fails, `cannot(why)` is the sentence that says what to do instead. */
export async function installWithApt(names, cannot, { say, verbose }) {
  const apt = which('apt-get');
  if (!apt) throw new SetupError(cannot(''));
  const prefix = await asRoot();
  if (!prefix) throw new SetupError(cannot(' and only root may install it'));
  const start = performance.now();
  say(`installing ${names.join(' ')} with apt-get`);
  // sudo clears the environment, so the setting travels as an argument of env.
  const [program, ...first] = [...prefix, which('env') ?? 'env', 'DEBIAN_FRONTEND=noninteractive', apt];
  const update = await run(program, [...first, 'update'], { echo: verbose });
  const unknown = [];
  for (const name of names) if (!(await aptKnows(name))) unknown.push(name);
  const install =
    unknown.length === 0
      ? await run(program, [...first, 'install', '-y', '--no-install-recommends', ...names], {
          echo: verbose,
        })
      : { code: 1, output: `E: apt knows no package ${unknown.join(' ')}` };
  if (install.code !== 0) {
    const lines = `${update.output}\n${install.output}`.split('\n').filter((line) => /^(E|Err):/.test(line));
    const said = lines.at(-1)?.trim() ?? `apt-get install ended with ${install.code}`;
    throw new SetupError(cannot(` and apt-get could not install it (${said})`));
  }
  say(`${names.join(' ')} installed (${secondsSince(start)})`);
}
