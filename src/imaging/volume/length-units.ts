/** Units of length and their millimetres, by all names that files give them. */
const millimetres: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, ['mm', 'millimeter', 'millimeters', 'millimetre', 'millimetres']],
      // The micro sign and the Greek letter look alike.
      [1e-3, ['um', '\u00b5m', '\u03bcm', 'micron', 'microns', 'micrometer', 'micrometers']],
      [1e-3, ['micrometre', 'micrometres', '\u00b5', '\u03bc']],
      [1e-6, ['nm', 'nanometer', 'nanometers', 'nanometre', 'nanometres']],
      [10, ['cm', 'centimeter', 'centimeters', 'centimetre', 'centimetres']],
      [100, ['dm', 'decimeter', 'decimeters', 'decimetre', 'decimetres']],
      [1000, ['m', 'meter', 'meters', 'metre', 'metres']],
      [25.4, ['in', 'inch', 'inches']],
    ] as const
  ).flatMap(([mm, names]) => names.map((name) => [name, mm] as const)),
);

/** Millimetres of a unit; of a text that names none, such as "" or "?", those of mm. Undefined for a unit that is not known. */
export function unitInMm(written: string): number | undefined {
  const name = written.trim().replace(/\.$/, '').toLowerCase();
  return /^\?*$/.test(name) || /^(none|unknown)$/.test(name) ? 1 : millimetres.get(name);
}
