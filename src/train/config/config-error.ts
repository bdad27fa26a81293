import { fail, type Schema, shownValue } from '../../core/index.ts';
import { parseJson, readTextSync, systemErrorReason } from '../../files/index.ts';
import { expectedOf, valueAt } from '../../imaging/index.ts';

/** What errors call a setting, by the path of its keys: `config "optimizer.beta1"`, `run.json "mesh"`, `--mesh`. */
export type SettingName = (path: string) => string;

/** Settings that stand in a file, or in any other place with a name. */
export const settingIn =
  (place: string): SettingName =>
  (path) =>
    path === '' ? place : `${place} ${shownValue(path)}`;

/** Settings that flags give where they do, and those of `rest` where not; a flag's name in camel case is its key. */
export const flagsOver =
  (flags: object, rest: SettingName): SettingName =>
  (path) => {
    const [key, ...inner] = path.split('.');
    if ((flags as Readonly<Record<string, unknown>>)[key] === undefined) return rest(path);
    const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return inner.length === 0 ? flag : `${flag} ${shownValue(inner.join('.'))}`;
  };

/** The keys that a file gives, and those of `rest` where it gives none. */
export const fileOver =
  (file: string, content: object, rest: SettingName): SettingName =>
  (path) =>
    (Object.hasOwn(content, path.split('.')[0]) ? settingIn(file) : rest)(path);

/**
 * The value as the schema has it. Throws HalomeshError for the first key at fault:
 * `config "optimizer.beta1": expected a number from 0 to below 1, found 2`.
 */
export function check<T>(schema: Schema<T>, value: unknown, nameOf: SettingName): T {
  const stray = prototypeKey(value);
  if (stray !== undefined) return fail({ where: nameOf(stray), problem: 'unknown key' });
  const result = schema.safeParse(value, { error: expectedOf });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue.code === 'unrecognized_keys') {
    const key = [...issue.path, ...(issue.keys ?? []).slice(0, 1)].join('.');
    return fail({ where: nameOf(key), problem: 'unknown key', hint: 'See halomesh train --help' });
  }
  // Where the key itself is at fault, it is what was found.
  const found = shownValue(
    issue.code === 'custom' && issue.params?.key ? issue.params.key : valueAt(value, issue.path),
  );
  return fail({ where: nameOf(issue.path.join('.')), problem: `expected ${issue.message}, found ${found}` });
}

/** The content of a JSON file. Throws HalomeshError with the file's name. */
export function readJson(file: string): unknown {
  let content: string;
  try {
    content = readTextSync(file);
  } catch (error) {
    const problem = `cannot be read: ${systemErrorReason(error)}`;
    return fail({ where: file, problem }, { cause: error });
  }
  try {
    return parseJson(content);
  } catch (error) {
    const problem = `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    return fail({ where: file, problem }, { cause: error });
  }
}

/** The path of a key `__proto__`, which schemas pass over; undefined where there is none. */
function prototypeKey(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, part] of Object.entries(value)) {
    if (key === '__proto__') return key;
    const found = prototypeKey(part);
    if (found !== undefined) return `${key}.${found}`;
  }
  return undefined;
}
