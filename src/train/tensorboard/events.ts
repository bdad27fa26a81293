// Messages of TensorFlow's event.proto and summary.proto, as far as they are needed here, in protobuf's wire format: a field is
// its number and kind, then a varint, eight or four bytes, or a length and bytes.
//
//   Event          1 wall_time double   2 step int64   3 file_version string   5 summary   7 session_log
//   Summary        1 value (repeated)
//   Summary.Value  1 tag string   2 simple_value float   4 image
//   Image          1 height   2 width   3 colorspace (3: red, green, blue)   4 encoded_image_string (a PNG)
//   SessionLog     1 status (1: start)

/** A picture, as a PNG of red, green and blue. */
export interface PngImage {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** What an event says. */
export type EventContent =
  /** The first event of a file. */
  | { readonly kind: 'version' }
  /** Training starts with this step: what earlier files have of this one and later steps no longer counts. */
  | { readonly kind: 'start' }
  | {
      readonly kind: 'summary';
      readonly scalars?: Readonly<Record<string, number>>;
      readonly images?: Readonly<Record<string, PngImage>>;
    };

/** An event at a step; `seconds` since 1970. */
export function encodeEvent(content: EventContent, step: number, seconds: number): Buffer {
  return Buffer.concat([double(1, seconds), whole(2, step), contentField(content)]);
}

function contentField(content: EventContent): Buffer {
  switch (content.kind) {
    case 'version':
      return bytes(3, Buffer.from('brain.Event:2'));
    case 'start':
      return bytes(7, whole(1, 1));
    case 'summary': {
      const { scalars = {}, images = {} } = content;
      const tag = (name: string): Buffer => bytes(1, Buffer.from(name));
      const values = [
        ...Object.entries(scalars).map(([name, value]) => [tag(name), float(2, value)]),
        ...Object.entries(images).map(([name, image]) => [tag(name), bytes(4, imageMessage(image))]),
      ];
      return bytes(5, Buffer.concat(values.map((value) => bytes(1, Buffer.concat(value)))));
    }
    default:
      return content satisfies never;
  }
}

const imageMessage = ({ width, height, png }: PngImage): Buffer =>
  Buffer.concat([whole(1, height), whole(2, width), whole(3, 3), bytes(4, png)]);

const VARINT = 0;
const EIGHT_BYTES = 1;
const LENGTH = 2;
const FOUR_BYTES = 5;

/** Seven bits a byte, the lowest first; all but the last with the highest bit set. A whole number below 2^53. */
function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...out, rest]);
}

const key = (field: number, kind: number): Buffer => varint(field * 8 + kind);
const whole = (field: number, value: number): Buffer => Buffer.concat([key(field, VARINT), varint(value)]);
const bytes = (field: number, value: Uint8Array): Buffer =>
  Buffer.concat([key(field, LENGTH), varint(value.length), value]);

function double(field: number, value: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeDoubleLE(value);
  return Buffer.concat([key(field, EIGHT_BYTES), number]);
}

function float(field: number, value: number): Buffer {
  const number = Buffer.alloc(4);
  number.writeFloatLE(value);
  return Buffer.concat([key(field, FOUR_BYTES), number]);
}
