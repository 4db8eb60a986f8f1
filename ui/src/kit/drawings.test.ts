import { describe, expect, test } from 'vitest';
import { World } from '$/ipc/mock/world';
import { draw } from '$/features/transaction/flow';
import { balanced, sums } from '$/features/confirm/sums';
import { chunks, shorten } from './address';
import { causeway } from './causeway';

describe('addresses', () => {
  test('stand in chunks of four and keep three at the start and two at the end', () => {
    const text = 'bcrt1qtdk5tnw55qdaxe900hgpuf02j09un722q52l95';
    expect(chunks(text).join('')).toBe(text);
    expect(shorten(text, 'short')).toEqual({ before: ['bcrt', '1qtd', 'k5tn'], after: [text.slice(-8, -4), text.slice(-4)] });
    expect(shorten('short', 'short')).toEqual({ before: ['shor', 't'], after: [] });
    expect(shorten('a'.repeat(64), 'id').before).toHaveLength(2);
  });
});

describe('the causeway', () => {
  const [pegIn, pegOut] = new World('full').state.operations;

  test('lays one stone per block, the next one outlined', () => {
    const drawn = causeway(pegIn!, 10, 990, 108);
    expect(drawn.stones.map((s) => s.state)).toEqual([...Array<string>(7).fill('laid'), 'next', 'ahead', 'ahead']);
    expect(drawn.each).toBe(1);
  });

  test('counts blocks into at most twelve stones', () => {
    const drawn = causeway({ ...pegIn!, done: 50, of: 100 }, 100, 990, 108);
    expect(drawn.stones).toHaveLength(12);
    expect(drawn.each).toBe(9);
    expect(drawn.stones.filter((s) => s.state === 'laid')).toHaveLength(6);
  });

  test('runs right to left on the way back and marks the point of no return as passed', () => {
    const drawn = causeway(pegOut!, 10, 600, 48);
    const xs = drawn.posts.map((p) => p.x);
    expect(xs).toEqual([...xs].sort((a, b) => b - a));
    expect(drawn.posts[0]?.x).toBe(552);
    expect(drawn.bar?.passed).toBe(true);
  });
});

describe('the flow of a transaction', () => {
  test('draws widths as shares of one asset, the same on both sides, none wider than its box', async () => {
    const world = new World('full');
    const row = world.state.history[0]!;
    const tx = await world.invoke('transaction', { network: row.network, txid: row.txid });
    const { streams, boxes } = draw(tx.inputs, tx.outputs, 1000, false);
    expect(streams).toHaveLength(4);
    const [a, b, c, d] = streams.map((s) => s.width);
    expect(a! + b!).toBeCloseTo(c! + d!, 3);
    expect(Math.max(a!, b!, c!, d!)).toBeLessThanOrEqual(boxes[0]!.height);
  });

  test('shows others equal, dotted streams where amounts are blinded', async () => {
    const world = new World('full');
    const row = world.state.history[0]!;
    const tx = await world.invoke('transaction', { network: row.network, txid: row.txid });
    const { streams } = draw(tx.inputs, tx.outputs, 1000, true);
    expect(new Set(streams.map((s) => s.look))).toEqual(new Set(['others']));
    expect(new Set(streams.slice(0, 2).map((s) => s.width)).size).toBe(1);
  });
});

describe('a review', () => {
  test('adds up per asset, and is caught when it does not', async () => {
    const world = new World('full');
    const to = world.state.history[0]!.counterparty;
    const view = await world.invoke('send_plan', {
      network: 'sidechain', recipients: [{ address: to, amount: '12500000', asset: null }], fee_rate: null, coins: null, drain: null, allow_explicit: false, label: '',
    });
    const review = await world.invoke('draft_review', { draft: view.draft });
    const coin = (a: { ticker: string }) => a.ticker === 'L-BTC';
    expect(sums(review, coin).every(balanced)).toBe(true);
    expect(sums({ ...review, fee: (BigInt(review.fee) + 1n).toString() }, coin).every(balanced)).toBe(false);
  });
});
