import { fail, shownValue } from '../../core/index.ts';
import type { SplineResampling } from '../../imaging/index.ts';
import { FLIP_AXES, type NnunetSettings } from '../../train/index.ts';
import { kindOf } from '../torch/pickle.ts';
import type { PickleValue } from '../torch/pickle-values.ts';
import { type Configuration, type Plans, refuse } from './plans.ts';

// How nnU-Net prepares and segments scans with a network, in the words of a config.

/** Windows are at most half of one apart. */
const STEP = 0.5;
/** What volumes are resampled by where plans say nothing. */
const USUAL = 'resample_data_or_seg_to_shape';
const ORDERS = [0, 1, 3] as const;

/** `axes`: those that scans are mirrored along, as axes of the image. */
export function wayOf(
  where: string,
  { image_reader_writer: reader }: Plans,
  configuration: Configuration,
  patch: NnunetSettings['patch'],
  axes: readonly number[],
): NnunetSettings {
  const {
    resampling_fn_data: image = USUAL,
    resampling_fn_data_kwargs: ofImage = {},
    resampling_fn_probabilities: scores = USUAL,
    resampling_fn_probabilities_kwargs: ofScores = {},
  } = configuration;
  return {
    order: reader === 'NibabelIOWithReorient' ? 'ras' : 'file',
    patch,
    step: STEP,
    mirror: FLIP_AXES.filter((_, axis) => axes.includes(axis)),
    image: resamplingOf(`${where} "resampling_fn_data`, image, ofImage, 3),
    scores: resamplingOf(`${where} "resampling_fn_probabilities`, scores, ofScores, 1),
  };
}

function resamplingOf(
  where: string,
  name: string,
  given: NonNullable<Configuration['resampling_fn_data_kwargs']>,
  usual: SplineResampling['order'],
): SplineResampling {
  if (name !== USUAL) refuse(`${where}"`, 'resampling', USUAL, name);
  const degree = (key: 'order' | 'order_z', otherwise: SplineResampling['order']) => {
    const found = given[key] ?? otherwise;
    return (
      ORDERS.find((order) => order === found) ??
      refuse(`${where}_kwargs.${key}"`, 'degree', ORDERS.join(', '), `${found}`)
    );
  };
  const { force_separate_z: separate } = given;
  return {
    order: degree('order', usual),
    orderAcross: degree('order_z', 0),
    ...(typeof separate === 'boolean' && { separate }),
  };
}

/** The axes of the network that a checkpoint mirrors scans along, as axes of the image; none where it says nothing. */
export function mirroredAxes(file: string, given: PickleValue, turned: readonly number[]): readonly number[] {
  if (given === null) return [];
  const where = `${file} "inference_allowed_mirroring_axes"`;
  if (!Array.isArray(given))
    return fail({ where, problem: 'axes', expected: 'a list of 0, 1, 2', found: kindOf(given) });
  return given.map((axis: PickleValue) => {
    const found = typeof axis === 'number' ? turned[axis] : undefined;
    return found ?? fail({ where, problem: 'axes', expected: '0, 1 or 2', found: shownValue(axis) });
  });
}
