// How much of a balance a plan made now may spend, and how a field says so.
import type { AssetLabel, BalanceView } from '$/ipc';
import { prose } from '$/kit/amount';
import { hidden } from '$/kit/hide.svelte';
import { t } from '$/words/index.svelte';

export const available = (balance: BalanceView | null | undefined): bigint => BigInt(balance?.available ?? 0);

/** What can be spent, and what is there but cannot be yet. What is frozen is neither. */
export function availableHint(balance: BalanceView | null | undefined, asset: Pick<AssetLabel, 'ticker' | 'precision'>): string {
  const shown = (atoms: bigint) => (hidden() ? '••••' : prose(atoms, asset));
  const amount = available(balance);
  const rest = balance ? BigInt(balance.confirmed) + BigInt(balance.pending) - BigInt(balance.frozen) - amount : 0n;
  return rest > 0n ? t('send.availableRest', { amount: shown(amount), rest: shown(rest) }) : t('send.available', { amount: shown(amount) });
}
