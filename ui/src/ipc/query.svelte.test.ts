import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useHost } from './index';
import { World } from './mock/world';
import { onStale, query, reset, run, take } from './query.svelte';

let world: World;
let invoke: ReturnType<typeof vi.spyOn>;
const settle = async () => {
  for (let i = 0; i < 6; i += 1) {
    await new Promise((done) => setTimeout(done, 0));
    flushSync();
  }
};
const calls = (name: string) => invoke.mock.calls.filter((c: unknown[]) => c[0] === name).length;

beforeEach(() => {
  reset();
  world = new World('full');
  invoke = vi.spyOn(world, 'invoke');
  useHost(world);
});
afterEach(() => reset());

/** Runs `body` as a component would. */
async function within<T>(body: () => T, then: (value: T) => Promise<void>): Promise<void> {
  let value!: T;
  const stop = $effect.root(() => {
    value = body();
  });
  flushSync();
  await settle();
  await then(value);
  stop();
}

test('one answer serves all who ask the same', async () => {
  await within(
    () => [query('networks', () => ({}) as never), query('networks', () => ({}) as never)] as const,
    async ([a, b]) => {
      expect(a.data).toHaveLength(2);
      expect(b.data).toBe(a.data);
      expect(calls('networks')).toBe(1);
    },
  );
});

test('a notice refetches what its tags name and nothing else', async () => {
  await within(
    () => [query('networks', () => ({}) as never), query('coins', () => ({ network: 'bitcoin' }))] as const,
    async () => {
      take({ seq: 1, tags: ['coins'] });
      await settle();
      expect([calls('networks'), calls('coins')]).toEqual([1, 2]);
    },
  );
});

test('a gap in the notices drops everything', async () => {
  const heard: unknown[] = [];
  onStale((stale) => heard.push(stale));
  await within(
    () => [query('networks', () => ({}) as never), query('coins', () => ({ network: 'bitcoin' }))] as const,
    async () => {
      take({ seq: 1, tags: ['assets'] });
      take({ seq: 3, tags: ['assets'] });
      await settle();
      expect([calls('networks'), calls('coins')]).toEqual([2, 2]);
      expect(heard.at(-1)).toBe('all');
    },
  );
});

test('what nobody looks at is not fetched again, and is fresh when somebody looks', async () => {
  await within(() => query('networks', () => ({}) as never), async () => {});
  take({ seq: 1, tags: ['networks'] });
  await settle();
  expect(calls('networks')).toBe(1);
  await within(() => query('networks', () => ({}) as never), async () => {
    expect(calls('networks')).toBe(2);
  });
});

test('the last value stays while a new one is fetched, and when a fetch fails', async () => {
  await within(
    () => query('coins', () => ({ network: 'bitcoin' })),
    async (coins) => {
      const before = coins.data;
      invoke.mockRejectedValueOnce({ code: 'no-peers', args: {} });
      take({ seq: 1, tags: ['coins'] });
      await settle();
      expect(coins.data).toBe(before);
      expect(coins.failure?.code).toBe('no-peers');
    },
  );
});

test('a command makes stale what it says', async () => {
  await within(
    () => [query('coins', () => ({ network: 'bitcoin' })), query('networks', () => ({}) as never)] as const,
    async ([coins]) => {
      const outpoint = coins.data![0]!.outpoint;
      await run('coin_freeze', { network: 'bitcoin', outpoint, frozen: true });
      await settle();
      expect([calls('coins'), calls('networks')]).toEqual([2, 1]);
      expect(coins.data![0]!.frozen).toBe(true);
    },
  );
});

test('anything thrown becomes a failure that has words', async () => {
  await within(
    () => query('coins', () => ({ network: 'bitcoin' })),
    async (coins) => {
      invoke.mockRejectedValueOnce(new Error('boom'));
      coins.refetch();
      await settle();
      expect(coins.failure?.code).toBe('bug');
    },
  );
});
