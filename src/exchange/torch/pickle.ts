import { OP } from './pickle-opcodes.ts';
import { PickleReader } from './pickle-reader.ts';
import { Global, PickleFault, type PickleHost, type PickleValue } from './pickle-values.ts';

// Python's pickles (PEP 307, 3154, 574; protocols 2 to 5) are programs for a small stack machine that build a value. This machine
// knows plain values alone: what a pickle asks to import is looked up by name in a table of the host, and nothing is ever run.
// Values are shared and never copied, so memory grows with the length of the pickle and no faster.

const NEWEST = 5;
/** The value that a pickle builds. Throws {@link PickleFault} for what is no pickle, or is more than plain values. */
export function unpickle(bytes: Buffer, host: PickleHost): PickleValue {
  return new Machine(bytes, host).run();
}

class Machine {
  private readonly reader: PickleReader;
  private readonly host: PickleHost;
  private stack: PickleValue[] = [];
  /** The stacks below each mark. */
  private readonly below: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();

  constructor(bytes: Buffer, host: PickleHost) {
    this.reader = new PickleReader(bytes);
    this.host = host;
  }

  run(): PickleValue {
    for (;;) {
      const code = this.reader.take(1)[0];
      if (code === OP.stop) return this.pop();
      this.step(code);
    }
  }

  private step(code: number): void {
    const { stack } = this;
    switch (code) {
      case OP.proto: {
        const protocol = this.reader.take(1)[0];
        if (protocol < 2 || protocol > NEWEST)
          throw new PickleFault(`protocol 2 to ${NEWEST}`, `${protocol}`);
        return;
      }
      case OP.frame:
        this.reader.length(8);
        return;
      case OP.mark:
        this.below.push(stack);
        this.stack = [];
        return;
      case OP.pop:
        // Where nothing is above the mark, the mark itself goes.
        if (stack.length === 0) this.popMark();
        else stack.pop();
        return;
      case OP.popMark:
        this.popMark();
        return;
      case OP.dup:
        stack.push(this.top());
        return;
      case OP.none:
        stack.push(null);
        return;
      case OP.newTrue:
        stack.push(true);
        return;
      case OP.newFalse:
        stack.push(false);
        return;
      case OP.emptyList:
      case OP.emptyTuple:
        stack.push([]);
        return;
      case OP.emptyDict:
        stack.push(new Map());
        return;
      case OP.emptySet:
        stack.push(new Set());
        return;
      case OP.list:
      case OP.tuple: {
        const items = this.popMark();
        this.stack.push(items);
        return;
      }
      case OP.frozenSet: {
        const items = this.popMark();
        this.stack.push(new Set(items));
        return;
      }
      case OP.dict: {
        const map = new Map<PickleValue, PickleValue>();
        const items = this.popMark();
        this.setPairs(map, items);
        this.stack.push(map);
        return;
      }
      case OP.tuple1:
      case OP.tuple2:
      case OP.tuple3: {
        const items = Array.from({ length: code - OP.tuple1 + 1 }, () => this.pop());
        stack.push(items.reverse());
        return;
      }
      case OP.append: {
        const value = this.pop();
        this.list().push(value);
        return;
      }
      case OP.appends: {
        const items = this.popMark();
        const list = this.list();
        for (const item of items) list.push(item);
        return;
      }
      case OP.addItems: {
        const items = this.popMark();
        const set = this.top();
        if (!(set instanceof Set)) throw new PickleFault('a set to add to', kindOf(set));
        for (const item of items) set.add(item);
        return;
      }
      case OP.setItem: {
        const value = this.pop();
        const key = this.pop();
        this.setPairs(this.map(), [key, value]);
        return;
      }
      case OP.setItems: {
        const items = this.popMark();
        this.setPairs(this.map(), items);
        return;
      }
      case OP.binPut:
        this.memo.set(this.reader.take(1)[0], this.top());
        return;
      case OP.longBinPut:
        this.memo.set(this.reader.take(4).readUInt32LE(), this.top());
        return;
      case OP.memoize:
        this.memo.set(this.memo.size, this.top());
        return;
      case OP.binGet:
        stack.push(this.recall(this.reader.take(1)[0]));
        return;
      case OP.longBinGet:
        stack.push(this.recall(this.reader.take(4).readUInt32LE()));
        return;
      case OP.global: {
        const [module, name] = [this.reader.line(), this.reader.line()];
        stack.push(this.host.find(module, name));
        return;
      }
      case OP.stackGlobal: {
        const [name, module] = [this.pop(), this.pop()];
        if (typeof module !== 'string' || typeof name !== 'string')
          throw new PickleFault('the name of an import', `${kindOf(module)} and ${kindOf(name)}`);
        stack.push(this.host.find(module, name));
        return;
      }
      case OP.reduce:
      case OP.newObject: {
        const args = this.pop();
        const target = this.pop();
        if (!(target instanceof Global)) throw new PickleFault('the name of an import', kindOf(target));
        if (!Array.isArray(args)) throw new PickleFault(`arguments of ${target.name}`, kindOf(args));
        stack.push(target.make(args));
        return;
      }
      case OP.build: {
        const state = this.pop();
        this.host.build(this.top(), state);
        return;
      }
      case OP.binPersistentId:
        stack.push(this.host.persistent(this.pop()));
        return;
      default:
        stack.push(this.reader.literal(code));
    }
  }

  private pop(): PickleValue {
    if (this.stack.length === 0) throw new PickleFault('a value', 'an empty stack');
    return this.stack.pop() as PickleValue;
  }

  private top(): PickleValue {
    if (this.stack.length === 0) throw new PickleFault('a value', 'an empty stack');
    return this.stack[this.stack.length - 1];
  }

  /** What stands above the last mark; the stack is then the one below it. */
  private popMark(): PickleValue[] {
    const items = this.stack;
    const under = this.below.pop();
    if (under === undefined) throw new PickleFault('a mark', 'an empty stack');
    this.stack = under;
    return items;
  }

  private recall(place: number): PickleValue {
    const value = this.memo.get(place);
    if (value === undefined) throw new PickleFault(`a value at place ${place}`, 'none');
    return value;
  }

  private list(): PickleValue[] {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleFault('a list to append to', kindOf(list));
    return list;
  }

  private map(): Map<PickleValue, PickleValue> {
    const map = this.top();
    if (!(map instanceof Map)) throw new PickleFault('a dictionary to set a key of', kindOf(map));
    return map;
  }

  private setPairs(map: Map<PickleValue, PickleValue>, items: readonly PickleValue[]): void {
    if (items.length % 2 !== 0) throw new PickleFault('a value for every key', 'a key without');
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }
}

/** What a value is, for messages. */
export function kindOf(value: PickleValue): string {
  if (value === null) return 'None';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a dictionary';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Global) return value.name;
  if (typeof value === 'object') return `a ${value.kind}`;
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
