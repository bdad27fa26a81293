/** What is thrown for packed bytes that are damaged. */
export const damage = (text: string): Error => Object.assign(new Error(text), { code: 'PACKED_DATA' });

/** What is thrown where they end too early. */
const cut = (): Error => Object.assign(new Error('unexpected end of file'), { code: 'PACKED_END' });

/** Reads bits from bytes, the highest of each first. Throws where they end. */
export class BitReader {
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  /** Bits of the byte before `at` that are not read yet. */
  private held = 0;

  /** Goes on with these bytes, of which the first is the one that was begun, where one was. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = this.held > 0 ? 1 : 0;
    if (this.at > bytes.length) throw cut();
  }

  /** The bytes that are not read to their ends. */
  left(): Uint8Array {
    return this.bytes.subarray(this.held > 0 ? this.at - 1 : this.at);
  }

  /** The next `count` bits, at most 24. */
  read(count: number): number {
    let value = 0;
    for (let wanted = count; wanted > 0; ) {
      if (this.held === 0) {
        if (this.at >= this.bytes.length) throw cut();
        this.at++;
        this.held = 8;
      }
      const take = Math.min(wanted, this.held);
      this.held -= take;
      value = (value << take) | ((this.bytes[this.at - 1] >>> this.held) & ((1 << take) - 1));
      wanted -= take;
    }
    return value;
  }

  /** Passes over the rest of a byte that was begun. */
  align(): void {
    this.held = 0;
  }

  isEmpty(): boolean {
    return this.held === 0 && this.at >= this.bytes.length;
  }
}
