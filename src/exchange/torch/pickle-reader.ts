import { OP } from './pickle-opcodes.ts';
import { PickleFault, type PickleValue } from './pickle-values.ts';

/** Bytes of a whole number at most: beyond it is no count, place or time. */
const MOST_LONG = 64;

/** Reads the bytes of a pickle from its start on. */
export class PickleReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** A number, a text or bytes. */
  literal(code: number): PickleValue {
    switch (code) {
      case OP.binInt:
        return this.take(4).readInt32LE();
      case OP.binInt1:
        return this.take(1)[0];
      case OP.binInt2:
        return this.take(2).readUInt16LE();
      case OP.long1:
        return this.long(this.take(1)[0]);
      case OP.long4:
        return this.long(this.take(4).readInt32LE());
      case OP.binFloat:
        return this.take(8).readDoubleBE();
      case OP.shortBinUnicode:
        return this.text(this.length(1));
      case OP.binUnicode:
        return this.text(this.length(4));
      case OP.binUnicode8:
        return this.text(this.length(8));
      case OP.shortBinString:
        return this.take(this.length(1)).toString('latin1');
      case OP.binString:
        return this.take(this.length(4)).toString('latin1');
      case OP.shortBinBytes:
        return this.take(this.length(1));
      case OP.binBytes:
        return this.take(this.length(4));
      case OP.binBytes8:
      case OP.byteArray8:
        return this.take(this.length(8));
      default: {
        const shown = `0x${code.toString(16).padStart(2, '0')}`;
        throw new PickleFault('an instruction that builds plain values', shown);
      }
    }
  }

  take(count: number): Buffer {
    const bytes = this.bytes.subarray(this.at, this.at + count);
    if (count < 0 || bytes.length < count)
      throw new PickleFault('the end of a pickle (STOP)', 'the end of the file');
    this.at += count;
    return bytes;
  }

  length(bytes: 1 | 4 | 8): number {
    const field = this.take(bytes);
    return bytes === 8 ? Number(field.readBigUInt64LE()) : field.readUIntLE(0, bytes);
  }

  private text(length: number): string {
    return this.take(length).toString('utf8');
  }

  /** A text up to the end of its line. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleFault('the name of an import', 'the end of the file');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** A whole number in two's complement, little-endian. */
  private long(length: number): number | bigint {
    if (length < 0 || length > MOST_LONG)
      throw new PickleFault(`a whole number of at most ${MOST_LONG} bytes`, `${length}`);
    if (length === 0) return 0;
    const bytes = Buffer.from(this.take(length)).reverse();
    const value = BigInt.asIntN(8 * length, BigInt(`0x${bytes.toString('hex')}`));
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
}
