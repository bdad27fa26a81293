// The struct of arguments of a kernel: its members as WGSL text, and its bytes. Every member is a 32-bit whole number.

export class Arguments {
  private readonly declared: string[] = ['zero: u32,'];
  private readonly values: (() => number)[] = [() => 0];

  /** The members, a line each. The first is a 0 that no compiler knows of. */
  get members(): string {
    return this.declared.map((line) => `  ${line}\n`).join('');
  }

  /** A whole number; a function where it is known only when the kernel is finished. */
  int(name: string, value: number | (() => number)): void {
    this.declared.push(`${name}: i32,`);
    this.values.push(typeof value === 'function' ? value : () => value);
  }

  /** Members NAME_0, NAME_1 and so on. */
  ints(name: string, values: readonly number[]): void {
    for (const [i, value] of values.entries()) this.int(`${name}_${i}`, value);
  }

  /** In whole blocks of 16 bytes. */
  bytes(): Uint8Array {
    const numbers = new Int32Array(Math.ceil(this.values.length / 4) * 4);
    numbers.set(this.values.map((value) => value()));
    return new Uint8Array(numbers.buffer);
  }
}
