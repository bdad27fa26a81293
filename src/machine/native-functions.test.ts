import koffi from 'koffi';
import { expect, it } from 'vitest';
import { functionsOf } from './native-functions.ts';

const said = { where: 'device cpu', what: 'the native kernels are', hint: 'Run: npm run setup' };

it('finds functions, and says what to do where a library is of another version', () => {
  const func = functionsOf(koffi.load('libm.so.6'), said);
  expect(func('fabs', 'double', ['double'])(-2)).toBe(2);
  expect(func('double floor(double x)')(2.5)).toBe(2);
  for (const ask of [() => func('hm_new', 'int', []), () => func('int hm_new(int x)')])
    expect(ask).toThrow(
      'device cpu: the native kernels are of another version; expected the function hm_new, found none of this name. Run: npm run setup',
    );
  // Any other error is not ours to explain.
  expect(() => func('int floor(nothing_known x)')).toThrow(/nothing_known/);
});
