import type { CallOf, Stored } from '../../calls/index.ts';
import { positions, presentIn } from '../../formats/index.ts';
import { leaving } from '../../rows/index.ts';
import type { Maker, Step } from '../maker.ts';
import { placed } from '../tensors.ts';
import { type Body, frame } from './frame.ts';
import type { Printer } from './printer.ts';
import { type PrintedSource, printSource } from './window.ts';

// Softmax, argmax and losses over more classes than lanes hold: a thread goes over all classes of its position.

/** One logit, by class. */
function logit(source: PrintedSource, cls: string, into: string): string {
  return `float ${into}[1]; { ${source.begin('fz', cls)} ${source.load('fz', 'd, h, w', cls, into)} }\n`;
}

/** `top` and `total`, the sum of e^(z - top), over all classes. */
function scale(source: PrintedSource): string {
  const each = (text: string) =>
    `for (int k = 0; k < ${source.channels}; k++) { ${logit(source, 'k', 'z')}${text} }\n`;
  return `float top = 0, total = 0;
${each('top = k == 0 || (z[0] > top) | (z[0] != z[0]) ? z[0] : top;')}${each('total += exp_of(z[0] - top);')}`;
}

export function softmaxSteps(make: Maker, { x, out, epilogue }: CallOf<'softmax'>): Step[] {
  const body: Body = {
    rows: [x.row],
    print(to, { lanes, channels }) {
      const source = printSource(to, x, 1);
      const guard = channels % lanes === 0 ? '' : 'if (l < lanes) ';
      return {
        each: `${scale(source)}HM_LANES(${lanes}) ${guard}{ ${logit(source, 'c + l', 'z')}x[l] = exp_of(z[0] - top) / total; }\n`,
      };
    },
  };
  return frame(make, out, epilogue, body);
}

export function argmaxSteps(make: Maker, { x, into }: CallOf<'argmax'>): Step[] {
  const body: Body = {
    print(to) {
      const source = printSource(to, x, 1);
      return {
        each: `float top = 0; x[0] = 0;
for (int k = 0; k < ${source.channels}; k++) { ${logit(source, 'k', 'z')}if (k == 0 || z[0] > top) top = z[0], x[0] = (float)k; }
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
  const view = to.view(tensor, placed(tensor, labels.slots), presentIn(tensor.shape, labels.slots));
  to.needsFault(logits.region, classes);
  const global = to.globals(logits.region);
  const position = `(((i64)n * a.${global}[1] + d) * a.${global}[2] + h) * a.${global}[3] + w`;
  return `const double said = get<double>(a.${view}, n, d, h, w, 0);
check_label(a.fault, said, ${classes}, ${position});
const int label = said >= 0 && said < ${classes} ? (int)said : 0;
`;
}

/** A number for all, or one a batch. */
function number(to: Printer, { value, slots }: Stored): string {
  const tensor = to.tensorOf(value);
  const view = to.view(tensor, placed(tensor, slots), presentIn(tensor.shape, slots));
  return `(float)get<double>(a.${view}, n, 0, 0, 0, 0)`;
}

const weightsOf = (make: Maker, to: Printer, weights: readonly number[]): string =>
  `a.${to.pointer('weights', 'const double', make.doubles(weights))}`;

export function crossEntropySteps(make: Maker, call: CallOf<'cross_entropy'>): Step[] {
  const region = positions(call.logits.region);
  const body: Body = {
    print(to) {
      const source = printSource(to, call.logits, 1);
      const weights = weightsOf(make, to, call.weights);
      return {
        each: `${label(to, call, source.channels)}${scale(source)}${logit(source, 'label', 'own')}
x[0] = (float)${weights}[label] * (log_of(total) + (top - own[0]));
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
  text: (to: Printer, source: PrintedSource) => { factor: string; each: string },
): Step[] {
  const body: Body = {
    rows: [call.logits.row],
    print(to, { lanes, channels }) {
      const source = printSource(to, call.logits, 1);
      const { factor, each } = text(to, source);
      const guard = channels % lanes === 0 ? '' : 'if (l < lanes) ';
      return {
        each: `${label(to, call, source.channels)}${scale(source)}${factor}
HM_LANES(${lanes}) ${guard}{ ${logit(source, 'c + l', 'z')}const float p = exp_of(z[0] - top) / total; x[l] = ${each}; }
`,
      };
    },
  };
  return frame(make, call.logits.region, call.epilogue, body);
}

export function crossEntropyGradSteps(make: Maker, call: CallOf<'cross_entropy_grad'>): Step[] {
  return gradient(make, call, (to) => ({
    factor: `const float factor = ${number(to, call.g)} * (float)${weightsOf(make, to, call.weights)}[label];`,
    each: 'factor * (p - (c + l == label ? 1.0f : 0.0f))',
  }));
}

export function classSumsGradSteps(make: Maker, call: CallOf<'class_sums_grad'>): Step[] {
  const { cls, gradients } = call;
  return gradient(make, call, (to, source) => ({
    factor: `${logit(source, String(cls), 'own')}const float factor = ((label == ${cls} ? ${number(to, gradients[0])} : 0.0f) + ${number(to, gradients[1])}) * (exp_of(own[0] - top) / total);`,
    each: `factor * ((c + l == ${cls} ? 1.0f : 0.0f) - p)`,
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
        const p = `${scale(source)}${logit(source, String(cls), 'own')}const float p = exp_of(own[0] - top) / total;\n`;
        const value = [`label == ${cls} ? p : 0.0f`, 'p', `label == ${cls} ? 1.0f : 0.0f`][i];
        return { each: `${label(to, call, source.channels)}${i === 2 ? '' : p}x[0] = ${value};\n` };
      },
    };
    return frame(make, region, leaving('SUM', region, sum.value), body);
  });
}
