import { type RandomStream, uniformAt } from '../../core/index.ts';
import type { Vector3 } from '../volume/affine.ts';

/** Smooth random numbers in space: -1 to 1, changing over about one unit, repeating after 32. */
export type SmoothNoise = (x: number, y: number, z: number) => number;

/**
 * A thing inside the body. Coordinates are mm from the middle of the volume, in RAS+ directions.
 * Parts are painted in order, later ones over earlier ones.
 */
export interface Part {
  readonly name: string;
  /** Outside of [low, high] the part is not. */
  readonly low: Vector3;
  readonly high: Vector3;
  /** About the distance to the part's surface in mm, negative inside. */
  readonly distance: (x: number, y: number, z: number) => number;
  readonly hu: number;
  /** Amplitude of the texture in HU. */
  readonly texture: number;
  /** The label that its voxels get; undefined leaves the label as it is. */
  readonly label?: 0 | 1 | 2;
  /** Where it may be: inside the abdominal wall, inside the liver only, or anywhere. */
  readonly within: 'cavity' | 'liver' | 'anywhere';
}

/** One synthetic patient. */
export interface Anatomy {
  /** Half axes of the body's ellipse in mm, to the side and to the front. */
  readonly halfWidth: number;
  readonly halfHeight: number;
  /** Thickness in mm of the fat under the skin and of the muscle and ribs under that. */
  readonly fat: number;
  readonly wall: number;
  readonly parts: readonly Part[];
  readonly noise: SmoothNoise;
  /** Deviation of the scanner's noise in HU. */
  readonly sigma: number;
}

/** Lattice noise with smoothstep interpolation. */
export function smoothNoise(key: number): SmoothNoise {
  const lattice = new Float32Array(32 ** 3);
  for (let n = 0; n < lattice.length; n++) lattice[n] = 2 * uniformAt(key, n) - 1;
  const fade = (f: number) => f * f * (3 - 2 * f);
  return (x, y, z) => {
    const [x0, y0, z0] = [Math.floor(x), Math.floor(y), Math.floor(z)];
    const [fx, fy, fz] = [fade(x - x0), fade(y - y0), fade(z - z0)];
    const [xa, xb] = [x0 & 31, (x0 + 1) & 31];
    const [ya, yb] = [(y0 & 31) << 5, ((y0 + 1) & 31) << 5];
    const [za, zb] = [(z0 & 31) << 10, ((z0 + 1) & 31) << 10];
    const row = (yz: number) => lattice[yz + xa] + (lattice[yz + xb] - lattice[yz + xa]) * fx;
    const [near, far] = [row(za + ya), row(zb + ya)];
    const low = near + (row(za + yb) - near) * fy;
    const high = far + (row(zb + yb) - far) * fy;
    return low + (high - low) * fz;
  };
}

/**
 * A patient drawn from a random stream: size, fat, contrast phase, organs and lesions vary. No lesion is
 * smaller than a voxel of `voxelMm`, so that each is seen.
 */
export function makeAnatomy(random: RandomStream, noiseKey: number, voxelMm: number): Anatomy {
  const noise = smoothNoise(noiseKey);
  const size = random.between(0.93, 1.05);
  const contrast = random.chance(0.7) ? random.between(0.7, 1) : 0;
  const blood = 45 + 130 * contrast;
  const liverHu = random.between(52, 64) + 48 * contrast;
  const near = (centre: number, spread: number) => size * (centre + random.between(-spread, spread));
  const shaped = { noise, random };

  const lung = (x: number) =>
    ellipsoid('lung', [size * x, size * 5, near(185, 10)], [size * 75, size * 85, size * 105], -840, {
      ...shaped,
      texture: 40,
    });
  const kidney = (x: number) =>
    ellipsoid(
      'kidney',
      [near(x, 5), near(-40, 4), near(-35, 8)],
      [size * 27, size * 25, size * 54],
      35 + 150 * contrast,
      { ...shaped, warp: 3, label: 0 },
    );
  const liver = makeLiver(random, noise, size, liverHu);
  const spine = tube('spine', [0, size * -62, -400], [0, size * -62, 400], size * 21, 190, {
    within: 'anywhere',
    texture: 40,
    label: 0,
  });
  const parts: Part[] = [
    lung(72),
    lung(-72),
    ellipsoid(
      'heart',
      [near(-25, 5), near(30, 5), near(165, 8)],
      [size * 50, size * 45, size * 50],
      blood - 10,
      { ...shaped, warp: 4, label: 0 },
    ),
    ellipsoid('stomach', [near(-55, 8), near(35, 6), near(65, 10)], [size * 42, size * 34, size * 55], 20, {
      ...shaped,
      warp: 6,
      texture: 8,
    }),
    ellipsoid(
      'spleen',
      [near(-98, 5), near(-22, 5), near(70, 8)],
      [size * 27, size * 45, size * 50],
      50 + 65 * contrast,
      { ...shaped, warp: 4 },
    ),
    kidney(66),
    kidney(-66),
    liver,
    ...makeLiverVessels(random, liver, size, liverHu + 20 + 30 * contrast),
    ...makeLesions(random, noise, liver, liverHu, voxelMm),
    tube('cava', [size * 16, size * -34, -400], [size * 16, size * -34, size * 140], size * 11, blood - 10, {
      label: 0,
    }),
    tube('aorta', [size * -12, size * -36, -400], [size * -12, size * -36, 400], size * 10.5, blood, {
      label: 0,
    }),
    spine,
    tube('cord', [0, size * -90, -400], [0, size * -90, 400], size * 8, 35, { within: 'anywhere' }),
  ];
  return {
    halfWidth: 165 * size * random.between(0.95, 1.05),
    halfHeight: 118 * size * random.between(0.95, 1.05),
    fat: random.between(8, 22),
    wall: random.between(12, 18),
    parts,
    noise,
    sigma: random.between(10, 20),
  };
}

interface PartOptions {
  readonly texture?: number;
  readonly label?: 0 | 1 | 2;
  readonly within?: Part['within'];
}

/** An ellipsoid whose surface is dented by up to `warp` mm. */
function ellipsoid(
  name: string,
  centre: Vector3,
  radii: Vector3,
  hu: number,
  {
    noise,
    random,
    warp = 0,
    ...rest
  }: PartOptions & { noise: SmoothNoise; random: RandomStream; warp?: number },
): Part {
  const least = Math.min(...radii);
  const cell = Math.max(4, least * 0.8);
  const shift = random.between(0, 32);
  return {
    ...{ name, hu, texture: 4, within: 'cavity', ...rest },
    low: [centre[0] - radii[0] - warp, centre[1] - radii[1] - warp, centre[2] - radii[2] - warp],
    high: [centre[0] + radii[0] + warp, centre[1] + radii[1] + warp, centre[2] + radii[2] + warp],
    distance: (x, y, z) => {
      const u = (x - centre[0]) / radii[0];
      const v = (y - centre[1]) / radii[1];
      const w = (z - centre[2]) / radii[2];
      const smooth = (Math.sqrt(u * u + v * v + w * w) - 1) * least;
      // Far from the surface the dents make no difference.
      if (warp === 0 || Math.abs(smooth) > 2 * warp + 8) return smooth;
      return smooth + warp * noise(x / cell + shift, y / cell, z / cell);
    },
  };
}

/** A round tube from a to b. */
function tube(
  name: string,
  a: Vector3,
  b: Vector3,
  radius: number,
  hu: number,
  options: PartOptions = {},
): Part {
  const along: Vector3 = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const square = along[0] ** 2 + along[1] ** 2 + along[2] ** 2;
  return {
    ...{ name, hu, texture: 3, within: 'cavity', ...options },
    low: [Math.min(a[0], b[0]) - radius, Math.min(a[1], b[1]) - radius, Math.min(a[2], b[2]) - radius],
    high: [Math.max(a[0], b[0]) + radius, Math.max(a[1], b[1]) + radius, Math.max(a[2], b[2]) + radius],
    distance: (x, y, z) => {
      const [dx, dy, dz] = [x - a[0], y - a[1], z - a[2]];
      const t = Math.min(1, Math.max(0, (dx * along[0] + dy * along[1] + dz * along[2]) / square));
      return Math.hypot(dx - t * along[0], dy - t * along[1], dz - t * along[2]) - radius;
    },
  };
}

/** Two lobes that flow into each other, with a hollow below the hilum. */
function makeLiver(random: RandomStream, noise: SmoothNoise, size: number, hu: number): Part {
  const vary = () => size * random.between(0.92, 1.08);
  const shaped = { noise, random, warp: 7 * size };
  const right = ellipsoid(
    '',
    [72 * size, 8 * size, 45 * size],
    [68 * vary(), 72 * vary(), 78 * vary()],
    hu,
    shaped,
  );
  const left = ellipsoid('', [0, 42 * size, 68 * size], [72 * vary(), 36 * vary(), 40 * vary()], hu, shaped);
  const hollow = ellipsoid('', [22 * size, 10 * size, 0], [42 * size, 40 * size, 45 * size], hu, shaped);
  const blend = 14 * size;
  return {
    ...{ name: 'liver', hu, texture: 5, label: 1, within: 'cavity' },
    low: [
      Math.min(right.low[0], left.low[0]),
      Math.min(right.low[1], left.low[1]),
      Math.min(right.low[2], left.low[2]),
    ],
    high: [
      Math.max(right.high[0], left.high[0]),
      Math.max(right.high[1], left.high[1]),
      Math.max(right.high[2], left.high[2]),
    ],
    distance: (x, y, z) => {
      const a = right.distance(x, y, z);
      const b = left.distance(x, y, z);
      const h = Math.max(0, blend - Math.abs(a - b)) / blend;
      const lobes = Math.min(a, b) - (h * h * blend) / 4;
      return lobes > blend ? lobes : Math.max(lobes, -hollow.distance(x, y, z));
    },
  };
}

/** A point of the liver that lies at least `depth` mm below its surface, as far as 200 draws find one. */
function pointInside(random: RandomStream, liver: Part, depth: number): Vector3 {
  let best: Vector3 = [0, 0, 0];
  let deepest = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 200 && deepest > -depth; n++) {
    const draw = (axis: 0 | 1 | 2) => random.between(liver.low[axis], liver.high[axis]);
    const point: Vector3 = [draw(0), draw(1), draw(2)];
    const distance = liver.distance(...point);
    if (distance < deepest) [best, deepest] = [point, distance];
  }
  return best;
}

function makeLesions(
  random: RandomStream,
  noise: SmoothNoise,
  liver: Part,
  liverHu: number,
  voxelMm: number,
): Part[] {
  const count = 1 + Math.floor(random.between(0, 6));
  return Array.from({ length: count }, (_, n) => {
    // One at least is large enough to be worth a Dice score.
    const radius = Math.max(random.between(n === 0 ? 12 : 5, 25), 0.9 * voxelMm);
    const centre = pointInside(random, liver, Math.min(18, 0.7 * radius));
    const vary = () => Math.max(radius * random.between(0.85, 1.2), 0.9 * voxelMm);
    const hu = liverHu - random.between(30, 60);
    const warp = radius > 2 * voxelMm ? 0.2 * radius : 0;
    const options = { noise, random, warp, texture: 7, label: 2, within: 'liver' } as const;
    return ellipsoid('lesion', centre, [vary(), vary(), vary()], hu, options);
  });
}

/** The patient with other lesions in place of those that are there: as dark as water, of 18 to 35 mm, so many. */
export function withLesions(anatomy: Anatomy, random: RandomStream, count: number): Anatomy {
  const { parts, noise } = anatomy;
  const liver = parts.find(({ name }) => name === 'liver')!;
  const lesions = Array.from({ length: count }, () => {
    const radius = random.between(18, 35);
    const options = { noise, random, warp: 0.2 * radius, texture: 7, label: 2, within: 'liver' } as const;
    const centre = pointInside(random, liver, 10);
    return ellipsoid('lesion', centre, [radius, radius, radius], random.between(0, 15), options);
  });
  const first = parts.findIndex(({ name }) => name === 'lesion');
  const others = parts.filter(({ name }) => name !== 'lesion');
  return { ...anatomy, parts: [...others.slice(0, first), ...lesions, ...others.slice(first)] };
}

/** Branches from the hilum into the liver, each splitting into two thinner ones. */
function makeLiverVessels(random: RandomStream, liver: Part, size: number, hu: number): Part[] {
  const hilum: Vector3 = [32 * size, 5 * size, 40 * size];
  const vessels: Part[] = [];
  for (let n = 0; n < 7; n++) {
    const fork = pointInside(random, liver, 25);
    vessels.push(tube('vessel', hilum, fork, size * random.between(3, 5), hu, { within: 'liver' }));
    for (let twig = 0; twig < 2; twig++) {
      const end = pointInside(random, liver, 8);
      vessels.push(tube('vessel', fork, end, size * random.between(1.5, 2.5), hu, { within: 'liver' }));
    }
  }
  return vessels;
}
