import { type ByteWriter, createByteWriter } from '../byte-writer.ts';
import { type Outlined, OutlineTracer, type Ring } from './outlines.ts';

/** What a value of a label map is called, and its red, green and blue (0 to 255). */
export interface OutlineClass {
  readonly name: string;
  readonly colour: readonly [number, number, number];
}

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
  let features: string[] = [];
  let first = true;
  const tracer = new OutlineTracer(width, (part) => {
    features.push(`${first ? '\n' : ',\n'}${JSON.stringify(featureOf(part, classes.get(part.value)!))}`);
    first = false;
  });
  const flush = async (): Promise<void> => {
    const text = new TextEncoder().encode(features.join(''));
    features = [];
    if (text.length > 0) await bytes.write(text);
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

function featureOf({ outer, holes }: Outlined, { name, colour }: OutlineClass): object {
  return {
    type: 'Feature',
    geometry: { type: 'Polygon', coordinates: [outer, ...holes].map(coordinatesOf) },
    properties: { objectType: 'annotation', classification: { name, color: colour } },
  };
}

/** Points of a ring, of which GeoJSON has the first again at the end. */
function coordinatesOf(ring: Ring): [number, number][] {
  const points = Array.from({ length: ring.length / 2 }, (_, n): [number, number] => [
    ring[2 * n],
    ring[2 * n + 1],
  ]);
  return [...points, points[0]];
}
