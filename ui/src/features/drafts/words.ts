import type { DraftView } from '$/ipc';
import { prose } from '$/kit/amount';
import { t } from '$/words/index.svelte';

/** What a draft will do, in one line: `Send 0.125 L-BTC`. */
export function draftTitle(view: DraftView): string {
  const kind = t(`op.${view.kind}`);
  const first = view.leaves[0];
  return first ? t('op.title', { kind, amount: prose(first.amount, first.asset) }) : kind;
}
