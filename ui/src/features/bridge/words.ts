// The three answers under every crossing: what happens next, what you can still do, the time limit.
import type { OperationView, StepName } from '$/ipc';
import { about, duration } from '$/kit/time.svelte';
import { count, t } from '$/words/index.svelte';

export const currentStep = (o: OperationView): StepName | null => o.steps.find((s) => s.state === 'current')?.step ?? null;

export function happensNext(o: OperationView, depth: number): string {
  if (o.status === 'done') return t('bridge.next.done');
  if (o.status === 'stopped' || o.status === 'failed') return t('bridge.next.stopped');
  const step = currentStep(o);
  if (o.kind === 'peg-out') {
    if (step === 'signed' || step === 'broadcast' || step === 'burned' || step === 'paid-on-bitcoin' || step === 'final') return t(`bridge.next.out.${step}`);
  } else if (step === 'depth') return t('bridge.next.in.depth', { n: depth });
  else if (step === 'signed' || step === 'broadcast' || step === 'awaiting-payment' || step === 'funded' || step === 'claimed' || step === 'spendable') return t(`bridge.next.in.${step}`);
  return t('bridge.next.other');
}

export function canDo(o: OperationView): string {
  if (o.finished !== null) return t('bridge.can.done');
  for (const action of ['resume', 'retry', 'stop', 'hold'] as const) if (o.can.includes(action)) return t(`bridge.can.${action}`);
  return o.kind === 'peg-out' ? t('bridge.can.nothingOut') : t('bridge.can.nothingIn');
}

export interface Limit {
  text: string;
  /** Share of the time left at which the claim is expected; null when there is no limit to draw. */
  claimAt: number | null;
  tight: boolean;
}

/** The slack until the federation script of a peg-in ends. */
export function limit(o: OperationView, sidechain: number | null, blockSeconds: number | null): Limit {
  const none = (text: string): Limit => ({ text, claimAt: null, tight: false });
  if (o.kind === 'peg-out') return none(o.finished === null ? t('bridge.limit.none') : t('bridge.can.done'));
  const step = currentStep(o);
  if (o.finished !== null || step === 'spendable' || o.sidechain_txid !== null) return none(t('bridge.limit.past'));
  if (o.valid_until === null || sidechain === null) return none('–');
  const height = count(o.valid_until);
  const blocks = o.valid_until - sidechain;
  if (blocks <= 0) return { text: t('bridge.limit.over', { height }), claimAt: null, tight: true };
  const left = blocks * (blockSeconds ?? 60);
  if (o.eta === null) return none(t('bridge.limit.until', { height, about: about(left) }));
  const part = o.eta / left;
  if (part > 0.8) return { text: t('bridge.limit.tight', { height, about: about(left) }), claimAt: Math.min(1, part), tight: true };
  return { text: t('bridge.limit.safe', { height, about: about(left), eta: duration(o.eta) }), claimAt: part, tight: false };
}
