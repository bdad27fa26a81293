// The pages of the API in docs/api: all that `halomesh` and `halomesh/browser` give, by typedoc, which is installed in tools/ when it is
// asked for. Runs from a clone; needs no build.
//
//   node scripts/docs-api.mjs [--out DIR]
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installTools } from './packages/tools.mjs';
import { packageRoot, run, SetupError } from './setup/common.mjs';

async function main() {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: join(packageRoot, 'docs/api') } },
  });
  const out = resolve(values.out);
  const say = (line) => console.log(`docs: ${line}`);
  const tools = await installTools(say);
  const flags = {
    tsconfig: 'tsconfig.build.json',
    out,
    name: 'halomesh',
    readme: 'none',
    // tsc of the project checks the types; the one that typedoc takes is older.
    skipErrorChecking: 'true',
    disableSources: 'true',
    // Types that are told by what has them are shown there.
    'validation.notExported': 'false',
    'validation.invalidLink': 'false',
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const entries = ['index', 'browser'].map((name) => `src/${name}.ts`);
  const program = [join(tools, 'typedoc/bin/typedoc'), ...args, ...entries];
  const { code, output } = await run(process.execPath, program, { cwd: packageRoot });
  if (code !== 0 || !existsSync(join(out, 'index.html')))
    throw new SetupError(`typedoc ended with ${code}:\n${output.trim()}`);
  say(join(out, 'index.html'));
}

main().catch((error) => {
  console.error(`docs: ${error instanceof SetupError ? error.message : error.stack}`);
  process.exitCode = 1;
});
