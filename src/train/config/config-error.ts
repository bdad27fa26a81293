import type { z } from 'zod';
import { fail } from '../../core/index.ts';
import { parseJson, readTextSync, systemErrorReason } from '../../files/index.ts';
import { expectedOf, shownValue, valueAt } from '../../imaging/index.ts';

/**
 * The value as the schema has it. Throws HalomeshError for the first key at fault:
 * `WHERE "optimizer.beta1": expected a number from 0 to below 1, found 2`.
 */
export function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const stray = prototypeKey(value);
  if (stray !== undefined) return fail({ where: `${where} "${stray}"`, problem: 'unknown key' });
  const result = schema.safeParse(value, { error: expectedOf });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0]].join('.');
    return fail({ where: `${where} "${key}"`, problem: 'unknown key', hint: 'See halomesh train --help' });
  }
  // Where the key itself is at fault, it is what was found.
  const found = shownValue(
    issue.code === 'custom' && issue.params?.key ? issue.params.key : valueAt(value, issue.path),
  );
  const key = issue.path.length > 0 ? ` "${issue.path.join('.')}"` : '';
  return fail({ where: `${where}${key}`, problem: `expected ${issue.message}, found ${found}` });
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
