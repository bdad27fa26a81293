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
// Parts of one, for devices that keep tensors in places of their own: a function while it is written (Frames over a Writer), its
// operations one by one, and the text of the whole.
//
//   const held = printNode(frames, node, [rank], inputs);
//
// ops/ has a rule for every operation, frames.ts says how one program runs on blocks of different places and sizes.

export type { Place } from './body.ts';
export { Frames, frameOf, type Held } from './frames.ts';
export type { Wide } from './lines.ts';
export { attributesText, moduleText } from './module-text.ts';
export { isPrinted, printNode } from './node.ts';
export { type Port, type Printed, type PrintOptions, printProgram } from './program.ts';
export type { Layouts } from './shardings.ts';
export { printStretch, type Stretch, type StretchPort } from './stretch.ts';
export { sameNumbers, type Tensor } from './types.ts';
export { Writer } from './writer.ts';
