// The history in pages: what is in sight is fetched, what went stale is fetched again.
import { asFailure, host, type AssetId, type Failure, type HistoryRow, type NetworkId } from '$/ipc';
import { onStale } from '$/ipc/query.svelte';

const PAGE = 500;

export interface Wanted {
  network: NetworkId | null;
  asset: AssetId | null;
  search: string | null;
}

export function historyPages(wanted: () => Wanted) {
  let rows = $state.raw<HistoryRow[]>([]);
  let total = $state(0);
  let next = $state.raw<string | null>(null);
  let loaded = $state(false);
  let failure = $state.raw<Failure | null>(null);
  let busy = false;
  let again = false;
  let run = 0;
  let sight = 0;
  /** The run whose rows are there. */
  let kept = 0;

  async function fetch(from: 'start' | 'next'): Promise<void> {
    if (busy) {
      again ||= from === 'start';
      return;
    }
    busy = true;
    const mine = run;
    try {
      const page = await host().invoke('history', { ...wanted(), cursor: from === 'start' ? null : next, limit: PAGE });
      if (mine === run) {
        // A refetched first page keeps the rows below it, so that a list that is scrolled far down stays there.
        const last = page.rows.at(-1);
        const joint = from === 'start' && kept === run && last ? rows.findLastIndex((r) => r.txid === last.txid && r.network === last.network) : -1;
        if (joint >= 0 && page.next !== null) rows = [...page.rows, ...rows.slice(joint + 1)];
        else {
          rows = from === 'start' ? page.rows : [...rows, ...page.rows];
          next = page.next;
        }
        kept = run;
        total = page.total;
        loaded = true;
        failure = null;
      }
    } catch (thrown) {
      failure = asFailure(thrown);
      next = null;
    }
    busy = false;
    if (again || mine !== run) {
      again = false;
      await fetch('start');
    } else if (failure === null) await more();
  }
  /** Fetches on while sight is near the end of what is there. */
  async function more(): Promise<void> {
    if (next !== null && sight > rows.length - 100) await fetch('next');
  }
  $effect(() => {
    const { network, asset, search } = wanted();
    void [network, asset, search];
    run += 1;
    next = null;
    void fetch('start');
  });
  $effect(() => onStale((stale) => {
    if (stale === 'all' || stale.has('history')) void fetch('start');
  }));

  return {
    get rows() {
      return rows;
    },
    get total() {
      return total;
    },
    /** Rows the list is long: those that are there and those that are known to follow. */
    get length() {
      return next === null ? rows.length : wanted().search ? rows.length + 1 : Math.max(rows.length + 1, total);
    },
    get loaded() {
      return loaded;
    },
    get failure() {
      return failure;
    },
    seen(last: number) {
      sight = last;
      void more();
    },
  };
}
