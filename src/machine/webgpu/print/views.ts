import type { DType } from '../../../core/index.ts';
import type { Place } from '../../formats/index.ts';
import type { Address } from '../slabs.ts';

// How kernels reach elements: functions over a view, which is a stored box of a tensor in one of the windows of the kernel.

/** How the elements of a window are seen. */
export type Element = 'f32' | 'u32' | 'vec4<f32>';

export interface View {
  readonly name: string;
  readonly address: Address;
  readonly bytes: number;
  readonly dtype: DType;
  /** Undefined: elements one after the other. */
  readonly place: Place | undefined;
  /** Number of its window. */
  window: number;
  /** Whether four channels are read or written at once, and whether one is written alone. */
  fours: boolean;
  singles: boolean;
  /** Whether words are moved as they are. */
  raw?: boolean;
}

const AT = 'n: i32, d: i32, h: i32, w: i32, c: i32';

/** `NAME_at`: the word of an element in its window. */
export function viewText({ name, place, dtype }: View): string {
  if (place === undefined) return '';
  const s = (i: number) => `a.${name}_s_${i}`;
  const each = dtype === 'f64' ? ' * 2' : '';
  // Blocks of fewer channels than 16 hold them all.
  const blocked = place.block === 16 ? `(r >> 4u) * ${s(4)} + (r & 15)${each}` : `r${each}`;
  return `fn ${name}_at(${AT}) -> i32 {
  let r = c - a.${name}_c;
  return a.${name}_o + n * ${s(0)} + d * ${s(1)} + h * ${s(2)} + w * ${s(3)} + ${place.block === 1 ? `r * ${s(4)}` : blocked};
}
`;
}

/** The functions that read and write. Integers saturate. */
export function accessText(view: View, element: Element): string {
  const { name, dtype, window, place } = view;
  const m = `m${window}`;
  const line = place === undefined;
  const [params, at] = line
    ? ['i: i32', `a.${name}_o + i${dtype === 'f64' ? ' * 2' : ''}`]
    : [AT, `${name}_at(n, d, h, w, c)`];
  const word = (i: string) =>
    element === 'u32'
      ? `bitcast<f32>(${m}[${i}])`
      : element === 'f32'
        ? `${m}[${i}]`
        : `${m}[(${i}) >> 2u][(${i}) & 3]`;
  const set = (i: string, x: string) =>
    element === 'u32' ? `${m}[${i}] = bitcast<u32>(${x});` : element === 'f32' ? `${m}[${i}] = ${x};` : '';
  const whole = (i: string) => `bitcast<i32>(${m}[${i}])`;
  const integer = dtype === 'u8' || dtype === 'i32';
  const lines: string[] = [];
  const fn = (suffix: string, more: string, result: string, body: string) =>
    lines.push(`fn ${name}_${suffix}(${params}${more})${result} {\n  let k = ${at};\n  ${body}\n}\n`);
  fn('get', '', ' -> f32', `return ${integer ? `f32(${whole('k')})` : word('k')};`);
  lines.push(`fn ${name}_word(k: i32) -> f32 { return ${integer ? `f32(${whole('k')})` : word('k')}; }\n`);
  const wide = {
    f32: `vec2<f32>(${word('k')}, 0.0)`,
    bf16: `vec2<f32>(${word('k')}, 0.0)`,
    f64: `vec2<f32>(${word('k')}, ${word('k + 1')})`,
    u8: `vec2<f32>(f32(${whole('k')}), 0.0)`,
    i32: `pair_of_i32(${whole('k')})`,
  }[dtype];
  fn('get_wide', '', ' -> vec2<f32>', `return ${wide};`);
  if (element === 'vec4<f32>') {
    const four = dtype === 'bf16' ? 'bf16_4(x)' : 'x';
    lines.push(`fn ${name}_word4(k: i32) -> vec4<f32> { return ${m}[k >> 2u]; }
fn ${name}_get4(${params}) -> vec4<f32> { return ${m}[(${at}) >> 2u]; }
fn ${name}_put4(${params}, x: vec4<f32>) { ${m}[(${at}) >> 2u] = ${four}; }
`);
    return lines.join('');
  }
  if (view.raw) return lines.join('');
  if (dtype === 'f64') {
    fn('put', ', x: f32', '', `${set('k', 'x')} ${set('k + 1', '0.0')}`);
    fn('put_wide', ', x: vec2<f32>', '', `${set('k', 'x.x')} ${set('k + 1', 'x.y')}`);
    return lines.join('');
  }
  if (integer) {
    const kind = dtype === 'u8' ? 'u8_of' : 'i32_of';
    fn('put', ', x: f32', '', `${m}[k] = bitcast<u32>(${kind}(vec2<f32>(x, 0.0)));`);
    fn('put_wide', ', x: vec2<f32>', '', `${m}[k] = bitcast<u32>(${kind}(x));`);
    return lines.join('');
  }
  const rounded = dtype === 'bf16' ? 'bf16_1(x)' : 'x';
  fn('put', ', x: f32', '', set('k', rounded));
  fn('put_wide', ', x: vec2<f32>', '', set('k', dtype === 'bf16' ? 'bf16_1(x.x)' : 'x.x'));
  if (dtype === 'f32' || dtype === 'bf16') {
    lines.push(
      `fn ${name}_word4(k: i32) -> vec4<f32> { return vec4<f32>(${[0, 1, 2, 3].map((l) => word(`k + ${l}`)).join(', ')}); }\n`,
    );
    fn(
      'get4',
      '',
      ' -> vec4<f32>',
      `return vec4<f32>(${[0, 1, 2, 3].map((l) => word(`k + ${l}`)).join(', ')});`,
    );
    const four = dtype === 'bf16' ? 'bf16_4(x)' : 'x';
    fn(
      'put4',
      ', x: vec4<f32>',
      '',
      `let y = ${four}; ${[0, 1, 2, 3].map((l) => set(`k + ${l}`, `y[${l}]`)).join(' ')}`,
    );
  }
  return lines.join('');
}
