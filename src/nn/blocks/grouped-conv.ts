import { type Dim, fail, type Value } from '../../core/index.ts';
import { concat, convRaw, mul, slice, tableOf, type Windows } from '../../ops/index.ts';
import { channelOf } from '../axes.ts';

// Grouped convolutions (and depthwise ones, with a channel a group) are made of whole ones, which every device has.
//
//   x       [batch, space..., channel]                       channel = groups * each
//   weight  [kernel..., channel_in = each, channel = filters]    of an output channel the inputs of its group alone
//
// Kernels of devices work on bundles of channels side by side. Groups narrower than a bundle are put into one convolution, whose
// weight is zero between groups: what is added there is zero, so the numbers are those of groups one by one.

/** Input channels that a convolution of a bundle of groups has at least, where there are so many: what devices keep side by side. */
const BUNDLE = 16;

/** Refuses a number of groups that does not divide the channels on both sides. */
export function checkGroups(groups: number, channels: number, filters: number, where: string): void {
  if (Number.isSafeInteger(groups) && groups >= 1 && channels % groups === 0 && filters % groups === 0)
    return;
  fail({
    where,
    problem: 'groups',
    expected: `a divisor of the ${channels} channels and of the ${filters} filters`,
    found: String(groups),
  });
}

/** Convolution of each group of channels by its own part of the weight. */
export function groupedConvRaw(x: Value, weight: Value, window: Windows, groups: number): Value {
  const channel = channelOf(x);
  const filters = channelOf(weight);
  const each = channel.size / groups;
  const outEach = filters.size / groups;
  const together = bundleOf(groups, each);
  const parts: Value[] = [];
  for (let group = 0; group < groups; group += together) {
    const from = slice(x, { [channel.name]: [group * each, (group + together) * each] });
    const own = slice(weight, { [filters.name]: [group * outEach, (group + together) * outEach] });
    parts.push(convRaw(from, together === 1 ? own : apart(own, together), window));
  }
  return parts.length === 1 ? parts[0] : concat(parts, filters.name);
}

/** Groups that one convolution takes: a divisor of all, the least with {@link BUNDLE} channels. */
function bundleOf(groups: number, each: number): number {
  let together = 1;
  while (together < groups && (together * each < BUNDLE || groups % together !== 0)) together++;
  return together;
}

/** A weight of several groups as one of a whole convolution: repeated for the inputs of each group, zero where groups differ. */
function apart(weight: Value, groups: number): Value {
  const [each, filters]: readonly Dim[] = weight.shape.slice(-2);
  const repeated = concat(
    Array.from({ length: groups }, () => weight),
    each.name,
  );
  const inputs = { name: each.name, size: each.size * groups };
  const outEach = filters.size / groups;
  const same = Array.from({ length: inputs.size * filters.size }, (_, at) => {
    const [input, output] = [Math.floor(at / filters.size), at % filters.size];
    return Math.floor(input / each.size) === Math.floor(output / outEach) ? 1 : 0;
  });
  return mul(repeated, tableOf(weight.graph, [inputs, filters], same, 'f32'));
}
