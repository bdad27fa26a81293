import { type ByteWriter, createByteWriter } from '../byte-writer.ts';
import { type Outlined, OutlineTracer, type Ring } from './outlines.ts';

/** What a value of a label map is called, and its red, green and blue (0 to 255). */
export interface OutlineClass {
  readonly name: string;
  readonly colour: readonly [number, number, number];
}

/** Characters that are written at once, about. */
const PIECE = 2 ** 16;

/** Outlines of a label map in the making; nothing has the final name before finish. */
export interface OutlineWriter {
  /** Takes rows that follow those before. */
  rows(values: Uint8Array): Promise<void>;
  /** Ends the file and gives it its name. */
  finish(): Promise<void>;
  /** Gives up and removes what was written. Safe after any failure, also twice. */
  abort(): Promise<void>;
}

/**
 * Begins a file of GeoJSON with the outlines of a label map, as QuPath has them: a feature for each part, with one outer ring and
 * its holes in pixels of the first level, the name and colour of its class. Values without a class are no parts.
 */
export async function createOutlineWriter(
  file: string,
  width: number,
  classes: ReadonlyMap<number, OutlineClass>,
): Promise<OutlineWriter> {
  const head = new TextEncoder().encode('{"type":"FeatureCollection","features":[');
  const bytes: ByteWriter = await createByteWriter(file, { head });
  const outlined = Uint8Array.from({ length: 256 }, (_, value) => (classes.has(value) ? value : 0));
  const all = outlined.every((value, n) => value === n || n === 0);
  let parts: Outlined[] = [];
  let first = true;
  const tracer = new OutlineTracer(width, (part) => parts.push(part));
  const encoder = new TextEncoder();
  // Texts of many features together, and of one in pieces: a part may have more corners than a text has room for.
  const flush = async (): Promise<void> => {
    let text = '';
    for (const part of parts) {
      text += first ? '\n' : ',\n';
      first = false;
      for (const piece of featureTexts(part, classes.get(part.value)!)) {
        text += piece;
        if (text.length < PIECE) continue;
        await bytes.write(encoder.encode(text));
        text = '';
      }
    }
    parts = [];
    if (text.length > 0) await bytes.write(encoder.encode(text));
  };
  return {
    async rows(values) {
      tracer.rows(all ? values : values.map((value) => outlined[value]));
      await flush();
    },
    async finish() {
      tracer.end();
      await flush();
      await bytes.write(new TextEncoder().encode('\n]}\n'));
      await bytes.finish();
    },
    abort: () => bytes.abort(),
  };
}

/** The text of a feature, piece by piece. */
function* featureTexts({ outer, holes }: Outlined, { name, colour }: OutlineClass): Generator<string> {
  yield '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[';
  yield* ringTexts(outer);
  for (const hole of holes) {
    yield ',';
    yield* ringTexts(hole);
  }
  const properties = { objectType: 'annotation', classification: { name, color: colour } };
  yield `]},"properties":${JSON.stringify(properties)}}`;
}

/** The corners of a ring, of which GeoJSON has the first again at the end. */
function* ringTexts(ring: Ring): Generator<string> {
  let text = '[';
  for (let n = 0; n < ring.length; n += 2) {
    text += `[${ring[n]},${ring[n + 1]}],`;
    if (text.length < PIECE) continue;
    yield text;
    text = '';
  }
  yield `${text}[${ring[0]},${ring[1]}]]`;
}
