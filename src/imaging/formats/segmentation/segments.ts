/** A class of a label map: its value in the file, 1 to 255, and its name. */
export interface Segment {
  readonly value: number;
  readonly name: string;
}

/** All classes but the background, with the values that they have in label maps; the classes themselves by default. */
export function segmentsOf(
  classes: readonly string[],
  values: readonly number[] | undefined,
): readonly Segment[] {
  return classes
    .map((name, cls) => ({ name, value: values?.[cls] ?? cls }))
    .filter(({ value }) => value !== 0);
}

/** Red, green and blue, 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

/** The turn of hue from one class to the next, in degrees: the golden angle, which comes near no earlier hue for long. */
const hueStep = 137.507764;

/** The colour of a label value: hues far apart, light and dark in turn, the same in all formats. */
export function segmentColor(value: number): Color {
  const hue = ((value - 1) * hueStep) % 360;
  const [saturation, brightness] = value % 2 === 1 ? [0.75, 1] : [0.55, 0.8];
  const channel = (n: number) => {
    const k = (n + hue / 60) % 6;
    return Math.round(255 * brightness * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}

/** Names of classes by value, as a text of JSON: `{"labels":{"background":0,"liver":1}}`, the form of an nnU-Net dataset.json. */
export function labelsAsJson(segments: readonly Segment[]): string {
  const entries = segments.map(({ name, value }) => [name, value] as const);
  return JSON.stringify({ labels: Object.fromEntries([['background', 0], ...entries]) });
}

/** The label description file of ITK-SNAP: number, colour, opacity, whether it is shown as slices and as a mesh, name. */
export function labelDescription(segments: readonly Segment[]): string {
  const line = ({ value, name }: Segment, color: Color, shown: number) =>
    `${[value, ...color, shown, shown, shown].map((n) => `${n}`.padStart(5)).join(' ')}    "${name.replaceAll('"', "'")}"`;
  const lines = segments.map((segment) => line(segment, segmentColor(segment.value), 1));
  return [
    '################################################',
    '# ITK-SnAP Label Description File',
    '# File format:',
    '# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL',
    '################################################',
    line({ value: 0, name: 'Clear Label' }, [0, 0, 0], 0),
    ...lines,
    '',
  ].join('\n');
}
