import type { CallOf, Stored } from '../../calls/index.ts';
import { positions } from '../../formats/index.ts';
import { leaving } from '../../rows/index.ts';
import type { Maker } from '../maker.ts';
import type { Step } from '../step.ts';
import { placed } from '../tensors.ts';
import { type Body, frame } from './frame.ts';
import { laneOf, partsOf } from './lanes.ts';
import type { Printer } from './printer.ts';
import { type PrintedSource, printSource } from './window.ts';

// Softmax, argmax and losses over more classes than lanes hold: a thread goes over all classes of its position.

/** One logit, by class, as INTO_0. */
function logit(source: PrintedSource, cls: string, into: string): string {
  return `${source.begin(`f${into}`, cls)}${source.load(`f${into}`, 'd, h, w', cls, into)}`;
}

/** `top` and `total`, the sum of e^(z - top), over all classes. */
function scale(source: PrintedSource): string {
  const each = (text: string) =>
    `for (var k = 0; k < ${source.channels}; k++) {\n${logit(source, 'k', 'z')}${text}\n}\n`;
  return `var top = 0.0; var total = 0.0;
${each('if (k == 0) { top = z_0; } else { top = larger_1(top, z_0); }')}${each('total += exp_1(z_0 - top);')}`;
}

/** A statement for each lane that is there: `of` gives it for the class and the lane. */
function eachLane(lanes: number, of: (cls: string, lane: string) => string): string {
  return Array.from(
    { length: lanes },
    (_, l) => `if (${l} < lanes) {\n${of(`c + ${l}`, laneOf('x', partsOf(lanes), l))}}\n`,
  ).join('');
}

export function softmaxSteps(make: Maker, { x, out, epilogue }: CallOf<'softmax'>): Step[] {
  const body: Body = {
    rows: [x.row],
    print(to, { lanes }) {
      const source = printSource(to, x, 1);
      const each = eachLane(
        lanes,
        (cls, lane) => `${logit(source, cls, 'z')}${lane} = held_1(exp_1(z_0 - top) / total);\n`,
      );
      return { each: `${scale(source)}${each}` };
    },
  };
  return frame(make, out, epilogue, body);
}

export function argmaxSteps(make: Maker, { x, into }: CallOf<'argmax'>): Step[] {
  const body: Body = {
    print(to) {
      const source = printSource(to, x, 1);
      return {
        each: `var top = 0.0;
for (var k = 0; k < ${source.channels}; k++) {\n${logit(source, 'k', 'z')}if (k == 0 || z_0 > top) { top = z_0; x_0 = f32(k); }\n}
`,
      };
    },
  };
  const region = positions(x.region);
  return frame(make, region, leaving('STORE', region, into.value), body);
}

type Loss = CallOf<'cross_entropy' | 'cross_entropy_grad' | 'class_sums' | 'class_sums_grad'>;

/** `label`: the class of the position, which is checked. */
function label(to: Printer, { labels, logits }: Loss, classes: number): string {
  const tensor = to.tensorOf(labels.value);
  const { name } = to.view(tensor, placed(tensor, labels.slots));
  to.needsFault(logits.region, classes);
  const g = to.globals(logits.region);
  const by = (x: string, i: number, plus: string) => `wide_add(wide_mul(${x}, u32(${g}_${i})), u32(${plus}))`;
  return `let said = ${name}_get(n, d, h, w, 0);
check_label(said, ${classes}, ${by(by(by('vec2<u32>(u32(n), 0u)', 1, 'd'), 2, 'h'), 3, 'w')});
let label = select(0, i32(said), said >= 0.0 && said < ${classes}.0);
`;
}

/** A number for all, or one a batch. */
function number(to: Printer, { value, slots }: Stored): string {
  const tensor = to.tensorOf(value);
  return `${to.view(tensor, placed(tensor, slots)).name}_get(n, 0, 0, 0, 0)`;
}

const weightOfLabel = (make: Maker, to: Printer, weights: readonly number[]): string =>
  `${to.line(make.doubles(weights), weights.length, 'f64')}_get(label)`;

export function crossEntropySteps(make: Maker, call: CallOf<'cross_entropy'>): Step[] {
  const region = positions(call.logits.region);
  const body: Body = {
    print(to) {
      const source = printSource(to, call.logits, 1);
      const weight = weightOfLabel(make, to, call.weights);
      return {
        each: `${label(to, call, source.channels)}${scale(source)}${logit(source, 'label', 'own')}x_0 = held_1(${weight} * (log(total) + (top - own_0)));
`,
      };
    },
  };
  return frame(make, region, leaving('SUM', region, call.sum.value), body);
}

/** Both gradients: `factor` times (the class of the position, or cls, against softmax). */
function gradient(
  make: Maker,
  call: CallOf<'cross_entropy_grad' | 'class_sums_grad'>,
  text: (to: Printer, source: PrintedSource) => { factor: string; each: (cls: string) => string },
): Step[] {
  const body: Body = {
    rows: [call.logits.row],
    print(to, { lanes }) {
      const source = printSource(to, call.logits, 1);
      const { factor, each } = text(to, source);
      const all = eachLane(
        lanes,
        (cls, lane) =>
          `${logit(source, cls, 'z')}let p = held_1(exp_1(z_0 - top) / total); ${lane} = held_1(${each(cls)});\n`,
      );
      return { each: `${label(to, call, source.channels)}${scale(source)}${factor}\n${all}` };
    },
  };
  return frame(make, call.logits.region, call.epilogue, body);
}

export function crossEntropyGradSteps(make: Maker, call: CallOf<'cross_entropy_grad'>): Step[] {
  return gradient(make, call, (to) => ({
    factor: `let factor = held_1(${number(to, call.g)} * ${weightOfLabel(make, to, call.weights)});`,
    each: (cls) => `factor * (p - select(0.0, 1.0, ${cls} == label))`,
  }));
}

export function classSumsGradSteps(make: Maker, call: CallOf<'class_sums_grad'>): Step[] {
  const { cls, gradients } = call;
  return gradient(make, call, (to, source) => ({
    factor: `${logit(source, String(cls), 'own')}let factor = held_1((select(0.0, ${number(to, gradients[0])}, label == ${cls}) + ${number(to, gradients[1])}) * held_1(exp_1(own_0 - top) / total));`,
    each: (at) => `factor * (select(0.0, 1.0, ${at} == ${cls}) - p)`,
  }));
}

/** Sums of p t, p and t: a kernel each. */
export function classSumsSteps(make: Maker, call: CallOf<'class_sums'>): Step[] {
  const { cls } = call;
  const region = positions(call.logits.region);
  return call.sums.flatMap((sum, i) => {
    const body: Body = {
      print(to) {
        const source = printSource(to, call.logits, 1);
        const p = `${scale(source)}${logit(source, String(cls), 'own')}let p = held_1(exp_1(own_0 - top) / total);\n`;
        const value = [`select(0.0, p, label == ${cls})`, 'p', `select(0.0, 1.0, label == ${cls})`][i];
        return { each: `${label(to, call, source.channels)}${i === 2 ? '' : p}x_0 = ${value};\n` };
      },
    };
    return frame(make, region, leaving('SUM', region, sum.value), body);
  });
}
