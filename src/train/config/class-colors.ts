/**
 * Labels 1, 2, 3...: [truth, prediction]. Further labels begin again. All eight can be told apart with normal sight and without
 * red, green or blue cones (a test simulates it), those of a pair best.
 */
export const CLASS_HEX: readonly (readonly [truth: string, prediction: string])[] = [
  ['#00cccc', '#ffff33'],
  ['#9999ff', '#ff3333'],
  ['#cc00ff', '#cccc33'],
  ['#33ffff', '#009999'],
];
