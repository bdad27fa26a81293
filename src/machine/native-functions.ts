import type { LibraryHandle } from 'koffi';
import { fail } from '../core/index.ts';

/**
 * How functions of a native library are found. One that is not there means that the library was built from other sources than these:
 * `where` and `hint` say which one it is and how it is built anew.
 */
export function functionsOf(
  library: Pick<LibraryHandle, 'func'>,
  { where, what, hint }: { readonly where: string; readonly what: string; readonly hint: string },
): LibraryHandle['func'] {
  const find = (...signature: readonly unknown[]): unknown => {
    try {
      return (library.func as (...all: readonly unknown[]) => unknown)(...signature);
    } catch (error) {
      const missing = /^Cannot find function '(\w+)'/.exec((error as Error).message);
      if (missing === null) throw error;
      return fail(
        {
          where,
          problem: `${what} of another version`,
          expected: `the function ${missing[1]}`,
          found: 'none of this name',
          hint,
        },
        { cause: error },
      );
    }
  };
  return find as LibraryHandle['func'];
}
