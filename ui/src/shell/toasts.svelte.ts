// What the person did here, told once, in the past tense.
import type { Failure } from '$/ipc';

export interface Toast {
  id: number;
  text: string;
  failure: Failure | null;
}

const SHOWN = 6_000;
const state = $state<{ list: Toast[] }>({ list: [] });
let next = 1;

export const toasts = (): readonly Toast[] => state.list;

export function dismiss(id: number): void {
  state.list = state.list.filter((toast) => toast.id !== id);
}

function show(text: string, failure: Failure | null): void {
  const id = next++;
  state.list = [...state.list.slice(-2), { id, text, failure }];
  // A refusal stays until it is read.
  if (failure === null) setTimeout(() => dismiss(id), SHOWN);
}

export const tell = (text: string): void => show(text, null);
export const refuse = (failure: Failure): void => show('', failure);
