// Graphs as StableHLO text, for XLA and whatever else compiles it.
//
// A whole program, for all ranks at once (program.ts):
//
//   const { text, arguments, results } = printProgram(partition(graph, mesh, layout));
//
// One function for what a rank does between two collectives (stretch.ts): its operations in order, and the tensors in its memory
// before and after with the boxes that they hold. Sizes of arguments and results are those of the boxes, row-major; float64 is f64,
// unsigned bytes ui8.
//
//   const text = printStretch({ nodes, rank, takes: [{ value, box }], gives: [{ value, box }] });
//
// ops/ has a rule for every operation, frames.ts says how one program runs on blocks of different places and sizes.

export type { Place } from './body.ts';
export type { Wide } from './lines.ts';
export { type Port, type Printed, type PrintOptions, printProgram } from './program.ts';
export type { Layouts } from './shardings.ts';
export { printStretch, type Stretch, type StretchPort } from './stretch.ts';
