import type { ByAxis, PlainStage, StagedKind } from '../plain-unet.ts';

// The stages of a network from voxel size and extents, by the rules of nnU-Net (Isensee et al. 2021, Supplementary Note 2, and 2024 for
// residual encoders): strides bring the spacing of the axes together before they shrink all of them, kernels leave out an axis whose
// spacing is still coarse, and no axis is halved that would become shorter than 4 voxels.

/** An axis that windows slide over: voxels, and mm between them. */
export interface PlannedAxis {
  readonly size: number;
  readonly spacing: number;
}

/** Voxels along an axis at the lowest resolution, at least. */
const LEAST = 4;
/** Spacings within this factor of the finest count as alike. */
const ALIKE = 2;
/** Channels at most: the lower resolutions take few voxels, and few more channels. */
const MOST_FILTERS = 320;
/** Resolutions at most: whole volumes could be halved oftener than the patches of nnU-Net. */
const MOST_STAGES = 7;
/** Residual blocks of the stages from the first down; further ones have as many as the last (ResEnc M, L and XL). */
const BLOCKS = [1, 3, 4, 6] as const;

/** The stages for images of these axes; the first one has `base` channels. */
export function planStages(
  kind: StagedKind,
  axes: Readonly<Record<string, PlannedAxis>>,
  base: number,
): PlainStage[] {
  const names = Object.keys(axes);
  const size = new Map(names.map((name) => [name, axes[name].size]));
  const spacing = new Map(names.map((name) => [name, axes[name].spacing]));
  const wide = new Set<string>();
  const by = (of: (name: string) => number): ByAxis =>
    Object.fromEntries(names.map((name) => [name, of(name)]));
  const kernel = (): ByAxis => {
    const finest = Math.min(...spacing.values());
    for (const name of names) if (spacing.get(name)! < ALIKE * finest) wide.add(name);
    return by((name) => (wide.has(name) ? 3 : 1));
  };
  const layouts = [{ stride: by(() => 1), kernel: kernel() }];
  while (layouts.length < MOST_STAGES) {
    const halved = axesToHalve(names, size, spacing);
    if (halved.length === 0) break;
    for (const name of halved) {
      size.set(name, Math.ceil(size.get(name)! / 2));
      spacing.set(name, 2 * spacing.get(name)!);
    }
    layouts.push({ stride: by((name) => (halved.includes(name) ? 2 : 1)), kernel: kernel() });
  }
  // At the bottom no axis is coarse enough to be left out.
  layouts[layouts.length - 1].kernel = by(() => 3);
  return layouts.map((layout, n) => ({
    filters: Math.min(base * 2 ** n, Math.max(MOST_FILTERS, base)),
    ...layout,
    down: kind === 'residual' ? BLOCKS[Math.min(n, BLOCKS.length - 1)] : 2,
    up: n === layouts.length - 1 ? 0 : kind === 'residual' ? 1 : 2,
  }));
}

/** The axes that the next stage halves: of those with voxels to spare, the ones whose spacing is near that of the finest. */
function axesToHalve(
  names: readonly string[],
  size: ReadonlyMap<string, number>,
  spacing: ReadonlyMap<string, number>,
): string[] {
  const long = names.filter((name) => size.get(name)! >= 2 * LEAST);
  const finest = Math.min(...long.map((name) => spacing.get(name)!));
  const halved = long.filter((name) => spacing.get(name)! < ALIKE * finest);
  // A last axis alone is halved only with more to spare.
  return halved.length === 1 && size.get(halved[0])! < 3 * LEAST ? [] : halved;
}
