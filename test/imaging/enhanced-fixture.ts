import { dicomBytes, EXPLICIT, element, type SliceFixture, type Style, styleOf } from './dicom-fixture.ts';

/** Elements of an item, by tag (0xggggeeee). */
export type Elements = readonly (readonly [tag: number, vr: string, value: string | Buffer | Items])[];
/** The items of a sequence. */
export interface Items {
  readonly items: readonly Elements[];
}

export const ENHANCED_CT = '1.2.840.10008.5.1.4.1.1.2.1';

/** What an enhanced image shall say; each frame has its functional groups. */
export interface EnhancedFixture extends Omit<SliceFixture, 'position' | 'orientation' | 'spacing' | 'more'> {
  readonly shared: Elements;
  readonly own: readonly Elements[];
  /** Elements of the image. */
  readonly more?: Elements;
}

export const items = (...all: readonly Elements[]): Items => ({ items: all });

/** Functional groups. */
export const positionGroup = (at: readonly number[]): Elements[number] => [
  0x00209113,
  'SQ',
  items([[0x00200032, 'DS', at.join('\\')]]),
];
export const orientationGroup = (cosines: readonly number[] = [1, 0, 0, 0, 1, 0]): Elements[number] => [
  0x00209116,
  'SQ',
  items([[0x00200037, 'DS', cosines.join('\\')]]),
];
export const measuresGroup = (spacing: readonly number[] = [2, 1], thickness = 5): Elements[number] => [
  0x00289110,
  'SQ',
  items([
    [0x00180050, 'DS', `${thickness}`],
    [0x00280030, 'DS', spacing.join('\\')],
  ]),
];
export const valuesGroup = (slope: number, intercept: number, unit = 'HU'): Elements[number] => [
  0x00289145,
  'SQ',
  items([
    [0x00281052, 'DS', `${intercept}`],
    [0x00281053, 'DS', `${slope}`],
    [0x00281054, 'LO', unit],
  ]),
];
/** Frame Content with the values of the dimensions. */
export const contentGroup = (...index: readonly number[]): Elements[number] => {
  const bytes = Buffer.alloc(4 * index.length);
  for (const [n, value] of index.entries()) bytes.writeUInt32LE(value, 4 * n);
  return [0x00209111, 'SQ', items([[0x00209157, 'UL', bytes]])];
};

function encode(elements: Elements, style: Style): Buffer {
  return Buffer.concat(
    elements.map(([tag, vr, value]) => {
      const body =
        typeof value === 'string'
          ? Buffer.from(value, 'latin1')
          : Buffer.isBuffer(value)
            ? value
            : Buffer.concat(value.items.map((item) => itemBytes(encode(item, style), style)));
      return element(tag >>> 16, tag & 0xffff, vr, body, style);
    }),
  );
}

function itemBytes(body: Buffer, { big }: Style): Buffer {
  const head = Buffer.alloc(8);
  if (big) {
    head.writeUInt32BE(0xfffee000);
    head.writeUInt32BE(body.length, 4);
  } else {
    head.writeUInt16LE(0xfffe);
    head.writeUInt16LE(0xe000, 2);
    head.writeUInt32LE(body.length, 4);
  }
  return Buffer.concat([head, body]);
}

/** Elements of a data set in explicit little endian, as `more` of a slice. */
export const encodeElements = (elements: Elements): NonNullable<SliceFixture['more']> =>
  elements.map(([tag, vr, value]) => {
    const body = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
    const style = styleOf(EXPLICIT);
    const bytes = Buffer.isBuffer(body)
      ? body
      : Buffer.concat(body.items.map((item) => itemBytes(encode(item, style), style)));
    return [tag >>> 16, tag & 0xffff, vr, bytes] as const;
  });

/** The bytes of an enhanced image: all frames in one file. */
export function enhancedBytes({ shared, own, more = [], ...image }: EnhancedFixture): Buffer {
  const style = styleOf(image.syntax ?? EXPLICIT);
  const sequence = (elements: readonly Elements[]) =>
    Buffer.concat(elements.map((item) => itemBytes(encode(item, style), style)));
  return dicomBytes({
    sopClass: ENHANCED_CT,
    frames: own.length,
    ...image,
    ...{ position: null, orientation: null, spacing: null },
    more: [
      ...more.map(([tag, vr, value]) => {
        const body = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
        const bytes = Buffer.isBuffer(body) ? body : sequence(body.items);
        return [tag >>> 16, tag & 0xffff, vr, bytes] as const;
      }),
      [0x5200, 0x9229, 'SQ', sequence([shared])],
      [0x5200, 0x9230, 'SQ', sequence(own)],
    ],
  });
}
