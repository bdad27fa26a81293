import type { Address, KernelSource } from './driver.ts';
import type { Step } from './maker.ts';
import { named } from './print/printer.ts';

// Small launches of one kernel that do not need each other become one launch, whose blocks find their arguments in memory: of an
// optimizer's rows there are three a variable, which take longer to launch than to run.

/** Blocks of a launch that is not worth joining: it takes much longer than its launch. */
const MANY_BLOCKS = 512;

/** Launches that become one, in their order. */
interface Group {
  readonly steps: Step[];
}

/**
 * The launches of a stretch that nothing comes between. One that joins others moves before those between, of which none writes what it
 * uses or uses what it writes. `keep` gives memory with bytes, which stays.
 */
export function together(steps: readonly Step[], keep: (data: Uint8Array) => Address): Step[] {
  const groups: Group[] = [];
  for (const step of steps) {
    const group = groupFor(step, groups);
    if (group === undefined) groups.push({ steps: [step] });
    else group.steps.push(step);
  }
  const joined = groups.filter((group) => group.steps.length > 1);
  if (joined.length === 0) return groups.map(({ steps: [only] }) => only);
  // All arguments lie in one piece of memory.
  const parts = joined.map(tablesOf);
  const data = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const places = new Map<Group, number>();
  let used = 0;
  parts.forEach(({ bytes }, i) => {
    data.set(bytes, used);
    places.set(joined[i], used);
    used += bytes.length;
  });
  const address = keep(data);
  return groups.map((group) => {
    const place = places.get(group);
    return place === undefined ? group.steps[0] : stepOf(group, address + place);
  });
}

const isSmall = ({ uses, blocks, source }: Step): boolean =>
  uses !== undefined && blocks < MANY_BLOCKS && source.shared === undefined;

/** The latest group that a step can join. */
function groupFor(step: Step, groups: readonly Group[]): Group | undefined {
  if (!isSmall(step)) return undefined;
  for (let i = groups.length - 1; i >= 0; i--) {
    const group = groups[i];
    if (group.steps.some((other) => needs(step, other))) return undefined;
    if (group.steps[0].source.name === step.source.name && isSmall(group.steps[0])) return group;
  }
  return undefined;
}

/** Whether two launches must keep their order; those whose memory is not told keep it. */
function needs({ uses: some }: Step, { uses: others }: Step): boolean {
  if (some === undefined || others === undefined) return true;
  return some.some((use) =>
    others.some((other) => (use.writes || other.writes) && use.begin < other.end && other.begin < use.end),
  );
}

/** The arguments of all, then where the blocks of each begin and the last ones end. */
function tablesOf({ steps }: Group): { readonly bytes: Uint8Array; readonly first: number } {
  const each = steps[0].args.length;
  const first = each * steps.length;
  const bytes = new Uint8Array(first + 8 * Math.ceil((steps.length + 1) / 2));
  const begins = new DataView(bytes.buffer, first);
  let blocks = 0;
  steps.forEach((step, i) => {
    bytes.set(step.args, i * each);
    begins.setUint32(4 * i, blocks, true);
    blocks += step.blocks;
  });
  begins.setUint32(4 * steps.length, blocks, true);
  return { bytes, first };
}

function stepOf({ steps }: Group, address: Address): Step {
  const [{ source, args }] = steps;
  const blocks = steps.reduce((sum, step) => sum + step.blocks, 0);
  const own = BigInt64Array.of(
    BigInt(address),
    BigInt(address + args.length * steps.length),
    BigInt(steps.length),
  );
  return { source: manyOf(source, args.length), blocks, args: new Uint8Array(own.buffer) };
}

const known = new Map<string, KernelSource>();

/** A kernel whose blocks share out several launches of another one. */
function manyOf({ name, text, threads, barriers }: KernelSource, bytes: number): KernelSource {
  const many = known.get(name) ?? { ...named(textOfMany(name, text, threads, bytes), barriers), threads };
  known.set(name, many);
  return many;
}

function textOfMany(name: string, text: string, threads: number, bytes: number): string {
  const [title] = text.split('\n', 1);
  const one = text
    .replace(
      new RegExp(`HM_KERNELS?\\([^)]*\\) ${name}\\(const HM_CONST Args a\\)`),
      'HM_FN void one(const Args &a, u32 own_block, u32 own_blocks)',
    )
    .replaceAll('blockIdx.x', 'own_block')
    .replaceAll('gridDim.x', 'own_blocks');
  return `${title}, several
namespace each_one {
${one}}
static_assert(sizeof(each_one::Args) == ${bytes}, "arguments as they lie in memory");
struct Args {
  const each_one::Args *each;
  const u32 *first; // block of each, and the number of all blocks
  i64 count;
};
HM_KERNELS(${threads}, 1) KERNEL(const HM_CONST Args a) {
  int low = 0, high = (int)a.count - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (a.first[middle] <= blockIdx.x) low = middle;
    else high = middle - 1;
  }
  each_one::one(a.each[low], blockIdx.x - a.first[low], a.first[low + 1] - a.first[low]);
}
`;
}
