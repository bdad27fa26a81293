import { Message } from '../../files/index.ts';

// Messages of TensorFlow's event.proto and summary.proto, as far as they are needed here.
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
  const event = new Message().double(1, seconds).whole(2, step);
  return Buffer.concat([...withContent(event, content).chunks()]);
}

function withContent(event: Message, content: EventContent): Message {
  switch (content.kind) {
    case 'version':
      return event.text(3, 'brain.Event:2');
    case 'start':
      return event.message(7, new Message().whole(1, 1));
    case 'summary': {
      const { scalars = {}, images = {} } = content;
      const summary = new Message();
      for (const [name, value] of Object.entries(scalars))
        summary.message(1, new Message().text(1, name).float(2, value));
      for (const [name, image] of Object.entries(images))
        summary.message(1, new Message().text(1, name).message(4, imageMessage(image)));
      return event.message(5, summary);
    }
    default:
      return content satisfies never;
  }
}

const imageMessage = ({ width, height, png }: PngImage): Message =>
  new Message().whole(1, height).whole(2, width).whole(3, 3).data(4, png);
