import { describe, expect, it } from 'vitest';
import { reuse, type Slots } from './slots';

const none: Slots = { first: 0, names: [] };

describe('the elements of a virtual list', () => {
  it('stay with their rows while the list scrolls a little', () => {
    const before = reuse(none, 10, 14);
    expect(before.names).toEqual([0, 1, 2, 3]);
    expect(reuse(before, 11, 15)).toEqual({ first: 11, names: [1, 2, 3, 0] });
    expect(reuse(before, 8, 12)).toEqual({ first: 8, names: [2, 3, 0, 1] });
  });

  it('keep their places when every row changes', () => {
    const before = reuse(none, 0, 4);
    expect(reuse(before, 900, 904)).toEqual({ first: 900, names: [0, 1, 2, 3] });
  });

  it('are as many as there are rows, each once', () => {
    const before = reuse(none, 0, 4);
    const more = reuse(before, 2, 8);
    expect(new Set(more.names).size).toBe(6);
    expect(more.names.slice(0, 2)).toEqual([2, 3]);
    expect(reuse(more, 5, 5).names).toEqual([]);
    expect(reuse(more, 7, 9).names[0]).toBe(more.names[5]);
  });

  it('do not take the focus along to another row', () => {
    const before = reuse(none, 0, 3);
    const after = reuse(before, 100, 103, 1);
    expect(after.names).not.toContain(1);
    expect(new Set(after.names).size).toBe(3);
    expect(reuse(before, 1, 4, 1).names[0]).toBe(1);
  });
});
