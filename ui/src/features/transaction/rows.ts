// What a transaction is called and drawn with in a list.
import type { HistoryRow, TransactionKind } from '$/ipc';
import type { IconName } from '$/kit/icons';
import type { State } from '$/kit/KnownBadge.svelte';

export const KIND_ICON: Record<TransactionKind, IconName> = {
  received: 'receive', sent: 'send', moved: 'change', 'peg-in-deposit': 'bridge', 'peg-in-claim': 'bridge', 'peg-out': 'bridge', 'peg-out-payment': 'bridge',
  issued: 'issue', reissued: 'reissue', burned: 'burn', mined: 'block',
};

/** A row is final once it is as deep as its network asks. */
export const isFinal = (row: HistoryRow): boolean => row.height !== null && row.confirmations >= row.depth;

export function stateOf(row: HistoryRow): State {
  if (row.height === null || row.known === 'pending') return 'pending';
  return row.known;
}

/** The movement that leads: what left before what came, the largest asset list first as given. */
export const lead = (row: HistoryRow) => row.moved.find((m) => m.out) ?? row.moved[0];
