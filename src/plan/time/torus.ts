import { type Mesh, meshCoordinates } from '../../core/index.ts';
import type { Link, Torus } from './costs.ts';

// Chips in a torus: each has two links along every axis, to the chip before it and to the one behind. Axes of a mesh of ranks are laid
// over axes of the torus so that neighbours of the mesh are neighbours there, as far as it has as many axes.
//
//   mesh 4 x 4 x 2 over 3 axes    each over its own: a message to a neighbour takes one link
//   mesh 4 x 4 x 2 over 2 axes    4, and 4 x 2: along the axis of 4 of these, messages take 2 links, each of which carries 2 of them

/** An axis of a mesh. */
interface Laid {
  readonly name: string;
  readonly parts: number;
  /** The axis of the torus that it lies along, and links there from one of its ranks to the next. */
  readonly along: number;
  readonly stride: number;
}

/** What ranks of an exchange send to one. */
export interface Sent {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/** A mesh of ranks, laid over a torus, and what messages take between them. `link`: one link of a chip, one way. */
export class MeshOnTorus {
  private readonly laid: readonly Laid[];
  private readonly places: readonly (readonly number[])[];
  private readonly link: Link;
  private readonly torus: Torus;

  /** `parts`: ranks along each axis of the mesh, where its own stand for more. */
  constructor(
    mesh: Mesh,
    torus: Torus,
    link: Link,
    parts: readonly number[] = mesh.axes.map(({ size }) => size),
  ) {
    this.torus = torus;
    this.link = link;
    this.laid = layAxes(
      mesh.axes.map(({ name }, i) => ({ name, parts: parts[i] })),
      torus.axes,
    );
    this.places = Array.from({ length: mesh.size }, (_, rank) => meshCoordinates(mesh, rank));
  }

  /**
   * Seconds that each rank's messages of an exchange take; 0 where it has none. All ranks send alike, so a link carries of every
   * message that goes its way as many as the links that one takes.
   */
  exchangeSeconds(sent: readonly Sent[]): number[] {
    const { latencySeconds, messageSeconds, bytesPerSecond } = this.link;
    const of = () => this.places.map(() => ({ messages: 0, loads: new Map<string, number>() }));
    const ways = [of(), of()];
    const furthest = this.places.map(() => 0);
    for (const { from, to, bytes } of sent) {
      const steps = this.laid.map(({ stride }, i) => (this.places[to][i] - this.places[from][i]) * stride);
      const hops = steps.reduce((sum, step) => sum + Math.abs(step), 0);
      for (const [rank, way] of [from, to].map((rank, i) => [rank, ways[i][rank]] as const)) {
        way.messages++;
        furthest[rank] = Math.max(furthest[rank], hops);
        for (const [i, step] of steps.entries()) {
          const link = `${this.laid[i].along} ${Math.sign(step)}`;
          way.loads.set(link, (way.loads.get(link) ?? 0) + Math.abs(step) * bytes);
        }
      }
    }
    return this.places.map((_, rank) => {
      const both = ways.map((way) => way[rank]);
      const messages = Math.max(...both.map((way) => way.messages));
      if (messages === 0) return 0;
      const load = Math.max(...both.flatMap((way) => [...way.loads.values()]));
      return (
        latencySeconds +
        (messages - 1) * messageSeconds +
        (furthest[rank] - 1) * this.torus.hopSeconds +
        load / bytesPerSecond
      );
    });
  }

  /**
   * Seconds of an all-reduce of `bytes` bytes over axes of the mesh: by rings along one axis after the other, each of which leaves a chip its
   * share of the sums, then the same way back. Where the ends of an axis are joined, half of the bytes go each way around.
   */
  reduceSeconds(axes: readonly string[], bytes: number): number {
    const { latencySeconds, bytesPerSecond } = this.link;
    let [seconds, rest] = [latencySeconds, bytes];
    for (const { parts, stride, joined } of this.rings(axes)) {
      const ways = joined ? 2 : 1;
      const carried = (rest * (parts - 1) * stride) / (parts * ways * bytesPerSecond);
      seconds += 2 * ((parts - 1) * stride * this.torus.hopSeconds + carried);
      rest /= parts;
    }
    return seconds;
  }

  /** The axes as rings: those that lie along one axis of the torus are one, where nothing else lies between their ranks. */
  private rings(axes: readonly string[]): { parts: number; stride: number; joined: boolean }[] {
    const found = new Map<number, { parts: number; stride: number; joined: boolean }>();
    const apart: { parts: number; stride: number; joined: boolean }[] = [];
    // Those whose ranks are next to each other first.
    for (const { name, parts, along, stride } of this.laid.toReversed()) {
      if (!axes.includes(name) || parts === 1) continue;
      const length = this.laid.reduce((n, axis) => (axis.along === along ? n * axis.parts : n), 1);
      const inner = found.get(along);
      if (inner && inner.parts * inner.stride === stride) {
        inner.parts *= parts;
        inner.joined = this.isJoined(length) && inner.parts === length;
      } else {
        const ring = { parts, stride, joined: this.isJoined(length) && parts * stride === length };
        if (inner) apart.push(ring);
        else found.set(along, ring);
      }
    }
    return [...found.values(), ...apart];
  }

  private isJoined(length: number): boolean {
    return length % this.torus.ring === 0;
  }
}

/** Lays axes over those of a torus: where there are more, those of fewest ranks share one, the later ones within the earlier. */
function layAxes(axes: readonly { readonly name: string; readonly parts: number }[], most: number): Laid[] {
  const groups = axes.map((axis) => [axis]);
  const ranks = (group: (typeof groups)[number]): number => group.reduce((n, { parts }) => n * parts, 1);
  while (groups.length > most) {
    const [a, b] = [...groups.keys()]
      .sort((i, j) => ranks(groups[i]) - ranks(groups[j]))
      .slice(0, 2)
      .sort((i, j) => i - j);
    groups.splice(a, 1, [...groups[a], ...groups[b]]);
    groups.splice(b, 1);
  }
  return axes.map((axis) => {
    const along = groups.findIndex((group) => group.includes(axis));
    const group = groups[along];
    return { ...axis, along, stride: ranks(group.slice(group.indexOf(axis) + 1)) };
  });
}
