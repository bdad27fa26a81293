import { describe, expect, it } from 'vitest';
import { showAttrs } from './print.ts';
import { shape } from './shape.ts';

const window = { kernel: 3, stride: 1, dilation: 1, padLow: 1, padHigh: 1 };

describe('showAttrs', () => {
  it('shows windows, shapes and lists in the words of the field', () => {
    expect(showAttrs({ window: { depth: window }, shape: shape({ batch: 1, depth: 8 }), slope: 0.1 })).toBe(
      ' {window={depth=k3 s1 d1 p1:1} shape=[batch=1 depth=8] slope=0.1}',
    );
    expect(
      showAttrs({ over: ['batch', 'depth'], dtype: undefined, init: { kind: 'constant', value: 1 } }),
    ).toBe(' {over=[batch,depth] init={kind=constant value=1}}');
    expect(showAttrs({})).toBe('');
  });

  it('differs where attributes differ, however far behind', () => {
    const windows = (width: typeof window) => ({ window: { depth: window, height: window, width } });
    for (const key of Object.keys(window))
      expect(showAttrs(windows({ ...window, [key]: 7 }))).not.toBe(showAttrs(windows(window)));
    const table = (last: number) => ({ values: [...Array.from({ length: 99 }, (_, n) => n), last] });
    expect(showAttrs(table(1))).not.toBe(showAttrs(table(2)));
    expect(showAttrs(table(1))).toMatch(/^ \{values=\[0,1,2\.\.\. 100 in all #[0-9a-f]+\]\}$/);
  });
});
