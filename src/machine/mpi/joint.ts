import { boxVolume } from '../../core/index.ts';
import {
  type AllReducePlan,
  type GroupRoute,
  groupRoute,
  type Route,
  sliceCut,
  transferBytes,
} from '../../plan/index.ts';
import type { Device, Tensor } from '../device.ts';

// All-reduces that travel together are joined to rows of numbers, one after the other.

/** One rank's tensor in an all-reduce. */
export interface Reduced {
  readonly plan: AllReducePlan;
  readonly tensor: Tensor;
}

/** All-reduces of one element type, combined in one way, that travel the same way: as one, of all their numbers. */
export interface Joint {
  readonly tensors: readonly Tensor[];
  readonly combine: AllReducePlan['combine'];
  /** Ranks in the order in which they are combined. */
  readonly group: readonly number[];
  readonly places: readonly number[];
  /** Numbers of all tensors, and bytes of one in a message. */
  readonly count: number;
  readonly width: number;
  /** The place of this rank. */
  readonly place: number;
}

export type JointOf<Kind extends Route['kind']> = Joint & {
  readonly route: Extract<Route, { readonly kind: Kind }>;
};
export type AnyJoint = JointOf<'tree'> | JointOf<'slices'>;

/** Joins all-reduces between the same ranks; those that have nothing to send are left out. */
export function joinReduced(device: Device, rank: number, reduced: readonly Reduced[]): AnyJoint[] {
  const together = new Map<string, { readonly route: GroupRoute; readonly members: Reduced[] }>();
  for (const member of reduced) {
    const { plan, tensor } = member;
    const group = groupOf(plan, rank);
    const count = boxVolume(tensor.box);
    if (group.length === 1 || count === 0) continue;
    const route = groupRoute(plan, group, transferBytes(tensor, tensor.box));
    const key = [tensor.dtype, plan.combine, route.route.kind].join(' ');
    const known = together.get(key) ?? { route, members: [] };
    together.set(key, known);
    known.members.push(member);
  }
  return [...together.values()].map(({ route: { route, places }, members }) => {
    const tensors = members.map(({ tensor }) => tensor);
    const [{ plan, tensor }] = members;
    return {
      tensors,
      combine: plan.combine,
      group: groupOf(plan, rank),
      places,
      count: tensors.reduce((sum, { box }) => sum + boxVolume(box), 0),
      width: device.transport.bytes(tensor, tensor.box) / boxVolume(tensor.box),
      place: places.indexOf(rank),
      route,
    } as AnyJoint;
  });
}

const groupOf = ({ groups }: AllReducePlan, rank: number): readonly number[] =>
  groups.find((members) => members.includes(rank))!;

/** Numbers of the rooms that the messages of a joint take. */
export function roomCounts(joint: AnyJoint): number[] {
  const { count, place } = joint;
  if (joint.route.kind === 'tree') {
    // The parts of the branch, and the result; the root combines in the first part.
    const parts = (joint.route.tree[place].end - place) * count;
    return place === 0 ? [parts] : [parts, count];
  }
  const { rows, columns } = joint.route;
  const cut = sliceCut(rows * columns, count);
  const column = place % columns;
  const slice = column * rows + Math.floor(place / columns);
  const wide = columns * (cut((column + 1) * rows) - cut(column * rows));
  // The own part and the result; what comes along the row; where there are more rows the same by slices, and what comes along
  // the column.
  return [count, wide, ...(rows === 1 ? [] : [wide, rows * columns * (cut(slice + 1) - cut(slice))])];
}
