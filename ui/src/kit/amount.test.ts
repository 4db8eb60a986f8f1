import { describe, expect, test } from 'vitest';
import { BTC, groups, parse, percent, plain, prose, rate, ratio, sum } from './amount';

describe('amounts', () => {
  test('eight places stand in groups of two, three and three, trailing zero groups dim', () => {
    expect(groups('74981240', 8)).toEqual([{ text: '0.74', dim: false }, { text: '981', dim: false }, { text: '240', dim: false }]);
    expect(groups('12500000', 8)).toEqual([{ text: '0.12', dim: false }, { text: '500', dim: false }, { text: '000', dim: true }]);
    expect(groups('25000000', 8).map((g) => g.dim)).toEqual([false, true, true]);
    expect(groups('100000001', 8).map((g) => g.dim)).toEqual([false, false, false]);
    expect(groups('2100000000000000', 8)[0]?.text).toBe('21,000,000.00');
  });

  test('other precisions show all their places in one piece', () => {
    expect(groups('1250000', 2)).toEqual([{ text: '12,500.00', dim: false }]);
    expect(groups('1240', 0)).toEqual([{ text: '1,240', dim: false }]);
    expect(groups('5', 3)).toEqual([{ text: '0.005', dim: false }]);
  });

  test('a copy is a plain decimal and reads back exactly', () => {
    for (const [atoms, precision] of [['0', 8], ['1', 8], ['74981240', 8], ['18446744073709551615', 0], ['9007199254740993', 2]] as const) {
      const read = parse(plain(atoms, precision), precision);
      expect(read).toEqual({ ok: true, atoms: BigInt(atoms) });
    }
  });

  test.each([
    ['0.1', 8, 10_000_000n], ['.5', 2, 50n], ['5.', 2, 500n], ['1,000.25', 2, 100_025n], ['0.10000000', 1, 1n], [' 12 ', 0, 12n], ['0.00000001', 8, 1n],
  ])('%s at %i places is %s', (text, precision, atoms) => {
    expect(parse(text, precision)).toEqual({ ok: true, atoms });
  });

  test.each([['', 'empty'], ['.', 'malformed'], ['-1', 'malformed'], ['1e3', 'malformed'], ['0x10', 'malformed'], ['1.2.3', 'malformed'], ['١', 'malformed'], ['0.123', 'too-precise']])(
    '%j is refused as %s', (text, why) => {
      expect(parse(text, 2)).toEqual({ ok: false, why });
    });

  test('prose drops zeros, never digits', () => {
    expect(prose('25000000', BTC)).toBe('0.25 BTC');
    expect(prose('100000000', BTC)).toBe('1 BTC');
    expect(prose('10000000', BTC)).toBe('0.10 BTC');
    expect(prose('546', BTC)).toBe('0.00000546 BTC');
    expect(prose('-546', BTC)).toBe('\u22120.00000546 BTC');
  });

  test('rates, shares and ratios', () => {
    expect([rate(1_000), rate(100), rate(1_234), rate(85_000)]).toEqual(['1.0', '0.1', '1.234', '85.0']);
    expect(percent(2)).toBe('0.02 %');
    expect(ratio('1', '0')).toBe(0);
    expect(ratio('1', '4')).toBe(0.25);
    expect(sum(['1', 2n])).toBe(3n);
  });
});
