// What is said to the ledger.
import type { LedgerDeed, LedgerPlan } from '$/ipc';

/** A request with nothing in it. */
export const blank: LedgerPlan = {
  deed: 'send', asset: '', amount: '0', source: null, to: null, pays: null, price: null, escrow: null, blocks: null, offer: null, ownership: null, sends: null, coin: null,
  divisible: false, lock: false, text: '', fee_rate: null, composed: null, ask: null,
};

/** What a person chooses from; the rest hangs on a coin or an offer. */
export const DEEDS = ['issue', 'send', 'send-many', 'destroy', 'dividend', 'attach', 'order', 'dispenser', 'buy', 'sweep', 'broadcast'] as const satisfies readonly LedgerDeed[];
export type Deed = (typeof DEEDS)[number];

/** Those that a server may compose. */
export const ASKABLE: readonly Deed[] = ['issue', 'send', 'send-many', 'destroy', 'dividend', 'order', 'dispenser', 'buy', 'sweep', 'broadcast'];
/** Those that nobody can undo. */
export const GRAVE: readonly Deed[] = ['destroy', 'sweep'];

/** Whole satoshis or blocks. */
export const whole = (text: string): string | null => (/^\d{1,15}$/.test(text.trim()) ? text.trim() : null);
