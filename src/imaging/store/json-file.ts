import { type Schema, type SchemaIssue, shownValue } from '../../core/index.ts';
import { readJsonFile, systemErrorCode } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';

// JSON files of a given form, and what is wrong with those of another one, in words.

const kinds: Readonly<Record<string, string | undefined>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  nan: 'a number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

/** What a value should have been, as words after "expected", where its schema does not say it. */
export function expectedOf(issue: SchemaIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected ?? ''] ?? 'another value';
    case 'invalid_value': {
      const values = (issue.values ?? []).map((value) =>
        typeof value === 'string' ? JSON.stringify(value) : String(value),
      );
      return values.length === 1 ? values[0] : `one of ${values.join(', ')}`;
    }
    case 'too_small':
      return bound(issue, issue.inclusive ? 'at least' : 'above', issue.minimum);
    case 'too_big':
      return bound(issue, issue.inclusive ? 'at most' : 'below', issue.maximum);
    case 'unrecognized_keys':
      return `no key ${(issue.keys ?? []).map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_format':
      return 'a text of another form';
    case 'invalid_key':
      return 'another key';
    default:
      return 'another value';
  }
}

function bound({ origin }: SchemaIssue, relation: string, limit?: number | bigint): string {
  if (origin === 'string') return `a text of ${relation} ${limit} characters`;
  if (origin === 'array') return `a list of ${relation} ${limit} entries`;
  return `${origin === 'int' ? 'a whole number of' : 'a number of'} ${relation} ${limit}`;
}

/** The value at a path of own keys; undefined where there is none. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let part = value;
  for (const key of path) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, key)) return undefined;
    part = (part as Record<PropertyKey, unknown>)[key];
  }
  return part;
}

/** Reads a JSON file of a given form. Throws ImagingError for what is not there, no JSON or of another form. */
export async function readJsonAs<T>(file: string, schema: Schema<T>): Promise<T> {
  let content: unknown;
  try {
    content = await readJsonFile(file);
  } catch (error) {
    const found = error instanceof SyntaxError ? error.message : systemErrorCode(error);
    throw new ImagingError({ file, field: 'content', expected: 'JSON', found }, { cause: error });
  }
  const parsed = schema.safeParse(content, { error: expectedOf });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue.path.join('.') || 'content';
  throw new ImagingError({
    file,
    field,
    expected: issue.message,
    found: shownValue(valueAt(content, issue.path)),
  });
}
