import { type Tensor, typeOf } from './types.ts';

/** What a module with one public function is made of. */
export interface ModuleParts {
  readonly name: string;
  /** Devices that run it together. */
  readonly devices: number;
  /** Lines before the function. */
  readonly head: readonly string[];
  /** Arguments and results with their attributes, `{...}` or nothing. */
  readonly arguments: readonly (readonly [tensor: Tensor, attributes: string])[];
  readonly results: readonly (readonly [tensor: Tensor, attributes: string])[];
  readonly lines: readonly string[];
}

/** Attributes as text. */
export const attributesText = (attributes: readonly string[]): string =>
  attributes.length === 0 ? '' : ` {${attributes.join(', ')}}`;

/** A module with one public function, `main`. */
export function moduleText(parts: ModuleParts): string {
  const { devices, name } = parts;
  const given = parts.arguments.map(([tensor, attributes]) => `${tensor.id}: ${typeOf(tensor)}${attributes}`);
  const types = parts.results.map(([tensor, attributes]) => `${typeOf(tensor)}${attributes}`);
  return [
    `module @${name} attributes {mhlo.num_partitions = ${devices} : i32, mhlo.num_replicas = 1 : i32} {`,
    ...parts.head.map((line) => `  ${line}`),
    '  func.func public @main(',
    ...given.map((port, i) => `    ${port}${i + 1 < given.length ? ',' : ''}`),
    `  ) -> (${types.join(', ')}) {`,
    ...parts.lines.map((line) => `    ${line}`),
    `    return${returned(parts.results.map(([tensor]) => tensor))}`,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** ` %1, %2 : tensor<2xf32>, tensor<f32>` */
export const returned = (tensors: readonly Tensor[]): string =>
  tensors.length === 0
    ? ''
    : ` ${tensors.map(({ id }) => id).join(', ')} : ${tensors.map(typeOf).join(', ')}`;
