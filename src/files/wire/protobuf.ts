// Messages of Protocol Buffers (https://protobuf.dev/programming-guides/encoding): fields one behind the other, each a number and a
// kind (0: whole number, 1: eight bytes, 2: bytes of a length, 5: four bytes), then its value. Whole numbers are 7 bits a byte, the lowest first.

const WHOLE = 0;
const EIGHT = 1;
const BYTES = 2;
const FOUR = 5;
/** Pieces below these bytes are put together, so many at a time. */
const SMALL = 4096;
const MOST_SMALL = 4096;

/** A message that grows field by field. Its pieces are kept as they are, so large arrays are not copied. */
export class Message {
  private readonly pieces: Uint8Array[] = [];
  private bytes = 0;

  get length(): number {
    return this.bytes;
  }

  /** Its bytes in order; small pieces come together. */
  *chunks(): Iterable<Uint8Array> {
    let small: Uint8Array[] = [];
    for (const piece of this.pieces) {
      if (piece.length < SMALL) small.push(piece);
      if (piece.length < SMALL && small.length < MOST_SMALL) continue;
      yield Buffer.concat(small);
      small = [];
      if (piece.length >= SMALL) yield piece;
    }
    yield Buffer.concat(small);
  }

  /** A whole number from -2^53 to 2^53; negative ones in two's complement of 64 bits. */
  whole(field: number, value: number): this {
    return this.add(varint(field * 8 + WHOLE)).add(varint(value));
  }

  /** A float32. */
  float(field: number, value: number): this {
    const four = Buffer.alloc(4);
    four.writeFloatLE(value);
    return this.add(varint(field * 8 + FOUR)).add(four);
  }

  double(field: number, value: number): this {
    const eight = Buffer.alloc(8);
    eight.writeDoubleLE(value);
    return this.add(varint(field * 8 + EIGHT)).add(eight);
  }

  text(field: number, value: string): this {
    return this.data(field, Buffer.from(value));
  }

  data(field: number, value: Uint8Array): this {
    return this.add(varint(field * 8 + BYTES))
      .add(varint(value.length))
      .add(value);
  }

  message(field: number, value: Message): this {
    this.add(varint(field * 8 + BYTES)).add(varint(value.length));
    for (const piece of value.pieces) this.add(piece);
    return this;
  }

  private add(piece: Uint8Array): this {
    this.pieces.push(piece);
    this.bytes += piece.length;
    return this;
  }
}

function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const seven = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? seven | 0x80 : seven);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
