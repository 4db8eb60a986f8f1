// What the person did here, told once, in the past tense.
import type { Failure } from '$/ipc';

export interface Toast {
  id: number;
  text: string;
  failure: Failure | null;
  /** How often it was told while it was shown. */
  times: number;
}

const SHOWN = 6_000;
const state = $state<{ list: Toast[] }>({ list: [] });
let next = 1;

export const toasts = (): readonly Toast[] => state.list;

export function dismiss(id: number): void {
  state.list = state.list.filter((toast) => toast.id !== id);
}

const same = (toast: Toast, text: string, failure: Failure | null): boolean =>
  toast.text === text && JSON.stringify(toast.failure) === JSON.stringify(failure);

/** The same again takes the place of the one that is shown, and counts. */
function show(text: string, failure: Failure | null): void {
  const id = next++;
  const before = state.list.find((toast) => same(toast, text, failure));
  const others = state.list.filter((toast) => toast !== before);
  state.list = [...others.slice(-2), { id, text, failure, times: (before?.times ?? 0) + 1 }];
  // A refusal stays until it is read.
  if (failure === null) setTimeout(() => dismiss(id), SHOWN);
}

export const tell = (text: string): void => show(text, null);
export const refuse = (failure: Failure): void => show('', failure);
