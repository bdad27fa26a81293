import { fail } from './errors.ts';
import type { Value } from './graph.ts';
import { sameShape, showShape } from './shape.ts';

/** The operations that reverse mode itself needs; the room of operations supplies them. */
export interface Arithmetic {
  add(a: Value, b: Value): Value;
  /** Ones of a value's shape and element type. */
  onesLike(value: Value): Value;
}

/**
 * Gradients of a scalar with respect to values of its graph, by reverse-mode differentiation: walks the operations from last
 * to first and applies each one's gradient rule. The result is ordinary operations. A value that the scalar does not depend
 * on has no gradient (undefined).
 */
export function reverse(scalar: Value, wrt: readonly Value[], arithmetic: Arithmetic): (Value | undefined)[] {
  if (scalar.shape.length !== 0)
    fail({
      where: 'gradients',
      problem: 'only a scalar can be differentiated',
      expected: '[]',
      found: showShape(scalar.shape),
    });
  const { graph } = scalar;
  const forward = graph.nodes.slice(0, scalar.node.id + 1);
  const needed = dependents(forward, wrt);
  const grads = new Map<number, Value>();
  grads.set(scalar.id, arithmetic.onesLike(scalar));

  for (const node of forward.reverse()) {
    const outputGrads = node.outputs.map((output) => grads.get(output.id));
    if (outputGrads.every((g) => g === undefined)) continue;
    if (!node.inputs.some((input) => needed.has(input.id))) continue;
    const rule = node.op.grad;
    if (typeof rule !== 'function')
      return fail({ where: node.call.where, problem: `has no gradient: ${rule.notDifferentiable}` });
    const scope = node.name === '' ? 'grad' : `${node.name}/grad`;
    const inputGrads = graph.scope(scope, () =>
      rule({ ...node.call, inputValues: node.inputs, outputValues: node.outputs }, outputGrads),
    );
    node.inputs.forEach((input, i) => {
      const contribution = inputGrads[i];
      if (contribution === undefined || !needed.has(input.id)) return;
      if (!sameShape(contribution.shape, input.shape))
        fail({
          where: node.call.where,
          problem: `gradient of input ${i} has another shape`,
          expected: showShape(input.shape),
          found: showShape(contribution.shape),
        });
      const sofar = grads.get(input.id);
      const total = () => (sofar === undefined ? contribution : arithmetic.add(sofar, contribution));
      grads.set(input.id, graph.scope(scope, total));
    });
  }
  return wrt.map((value) => grads.get(value.id));
}

/** Ids of all values that depend on one of `sources`, these included. */
function dependents(nodes: readonly Value['node'][], sources: readonly Value[]): Set<number> {
  const found = new Set(sources.map((value) => value.id));
  for (const node of nodes)
    if (node.inputs.some((input) => found.has(input.id)))
      for (const output of node.outputs) found.add(output.id);
  return found;
}
