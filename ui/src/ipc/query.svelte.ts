// A cache of answers, keyed by command and request. Notices say by tag what went stale; whoever looks at an answer
// keeps its last value while the new one is fetched.
import { untrack } from 'svelte';
import { host } from './index';
import { tags, type Failure, type Notice, type Progress, type NetworkId, type Tag } from './bindings';
import { asFailure, type Answer, type CommandName, type Request } from './host';

class Entry<C extends CommandName> {
  value = $state.raw<Answer<C> | undefined>();
  failure = $state.raw<Failure | null>(null);
  /** A fetch is on its way. */
  busy = $state(false);
  watchers = 0;
  fresh = false;
  /** Went stale while a fetch was under way: fetch once more. */
  private again = false;

  constructor(readonly name: C, readonly request: Request<C>) {}

  async fetch(): Promise<void> {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.fresh = true;
    try {
      const value = await host().invoke(this.name, this.request);
      this.value = value;
      this.failure = null;
    } catch (thrown) {
      this.failure = asFailure(thrown);
    }
    this.busy = false;
    if (this.again) {
      this.again = false;
      await this.fetch();
    }
  }

  stale(): void {
    this.fresh = false;
    if (this.watchers > 0) void this.fetch();
  }
}

const cache = new Map<string, Entry<CommandName>>();
/** Answers nobody looks at are dropped beyond this many. */
const KEPT = 200;

function entry<C extends CommandName>(name: C, request: Request<C>): Entry<C> {
  const key = `${name} ${JSON.stringify(request)}`;
  let found = cache.get(key);
  if (!found) {
    if (cache.size >= KEPT) for (const [k, e] of cache) if (e.watchers === 0) cache.delete(k);
    found = new Entry<CommandName>(name, request);
    cache.set(key, found);
  }
  return found as unknown as Entry<C>;
}

/** A live answer. Call it while a component initialises; `request` may depend on state, and `null` asks nothing. */
export function query<C extends CommandName>(name: C, request: () => Request<C> | null) {
  const now = $derived.by(() => {
    const wanted = request();
    return wanted === null ? null : entry(name, wanted);
  });
  // The last entry that had a value, so that a changed request does not blank the screen.
  let held = $state.raw<Entry<C> | null>(null);
  $effect(() => {
    const watched = now;
    if (!watched) return;
    watched.watchers += 1;
    untrack(() => {
      if (!watched.fresh) void watched.fetch();
    });
    return () => {
      watched.watchers -= 1;
    };
  });
  $effect(() => {
    if (now && now.value !== undefined) held = now;
  });
  return {
    /** The answer, or the last one there was. */
    get data(): Answer<C> | undefined {
      return now?.value ?? held?.value;
    },
    /** The answer to exactly this request. */
    get exact(): Answer<C> | undefined {
      return now?.value;
    },
    get failure(): Failure | null {
      return now?.failure ?? null;
    },
    get busy(): boolean {
      return now?.busy ?? false;
    },
    refetch(): void {
      if (now) void now.fetch();
    },
  };
}

/** Runs a command and refetches what its success made stale. Rejects with a `Failure`. */
export async function run<C extends CommandName>(name: C, request: Request<C>): Promise<Answer<C>> {
  const answer = await host().invoke(name, request);
  invalidate(tags[name].stales);
  return answer;
}

const listeners = new Set<(stale: ReadonlySet<Tag> | 'all') => void>();

/** Calls `listen` whenever answers go stale; for caches of another shape. Returns how to stop. */
export function onStale(listen: (stale: ReadonlySet<Tag> | 'all') => void): () => void {
  listeners.add(listen);
  return () => listeners.delete(listen);
}

export function invalidate(stale: readonly Tag[]): void {
  if (stale.length === 0) return;
  const set = new Set(stale);
  for (const e of cache.values()) if (tags[e.name].reads.some((tag) => set.has(tag))) e.stale();
  for (const listen of listeners) listen(set);
}

export function invalidateAll(): void {
  for (const [key, e] of cache) {
    if (e.watchers === 0) cache.delete(key);
    else e.stale();
  }
  for (const listen of listeners) listen('all');
}

/** How far long work has come, per network. */
export const progress = $state<Partial<Record<NetworkId, Progress>>>({});

let seen: number | null = null;

/** Takes one notice: a gap in `seq` drops everything. */
export function take(notice: Notice): void {
  const gap = seen !== null && notice.seq !== seen + 1;
  seen = notice.seq;
  if (gap) invalidateAll();
  else invalidate(notice.tags);
}

/** Connects this window to the stream of notices. */
export async function listen(): Promise<void> {
  seen = null;
  await host().subscribe(take, (p) => {
    progress[p.network] = p;
  });
  // Whatever was read before the stream began may have gone stale unheard.
  invalidateAll();
}

/** Forgets every answer; for tests that change worlds. */
export function reset(): void {
  cache.clear();
  listeners.clear();
  seen = null;
}
