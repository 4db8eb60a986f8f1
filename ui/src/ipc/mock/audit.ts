// The federation of the believable world: a reserve that covers what is owed, unless it has misbehaved, and a rollback that it agreed upon.
import type { HistoryRow, PegAudit, PegAuditWish, RollbackFate, RollbackView } from '../bindings';
import { NOW } from './seed';

const DAY = 86_400;

export function pegAudit(wish: PegAuditWish, short: boolean): PegAudit {
  const reach = (of: number) => ({ done: wish === 'off' ? 0 : of, of });
  const base: PegAudit = { state: wish === 'on' ? (short ? 'shortfall' : 'complete') : wish, sidechain: reach(18_407), bitcoin: reach(1_284), eta: null, books: null, trouble: null };
  if (wish === 'off') return base;
  const reserve = short ? 41_000_000 : 1_204_000_000;
  const points = Array.from({ length: 60 }, (_, i) => {
    const circulating = 200_000_000 + i * 17_000_000;
    return { time: NOW - (59 - i) * DAY, circulating: String(circulating), reserve: String(i === 59 && short ? reserve : circulating + 1_000_000) };
  });
  return {
    ...base,
    books: {
      sidechain_height: 18_407, bitcoin_height: 1_284, pegged_in: '1450000000', pegged_out: '240000000', burned: '7000000', created: '0', circulating: '1203000000',
      unpaid: '0', owed: '1203000000', reserve: String(reserve), at_old_scripts: '0', unplaced: '0', bad_claims: 0, unexplained: short ? '1163000000' : '0',
      fees: '1400', unexplained_by: short ? [{ txid: '8db751a650ae2f12'.repeat(4), amount: '1163000000' }] : [], coverage: short ? 340 : 10_008, missing: short ? '1162000000' : '0', points,
    },
  };
}

export function rollback(history: HistoryRow[]): RollbackView {
  const fates: RollbackFate[] = ['moved', 'waiting', 'gone'];
  const rows = history.filter((r) => r.network === 'sidechain' && r.height !== null).slice(0, 3);
  return {
    network: 'sidechain', fork_height: 18_390, depth: 14, time: NOW - DAY / 24, unchanged: 1,
    changed: rows.map((before, i) => ({ before, now: fates[i] ?? 'gone', height: i === 0 ? 18_401 : null })),
  };
}
