// Drafts that were planned in this window and wait for a signature.
import { host, type DraftView } from '$/ipc';
import { run } from '$/ipc/query.svelte';

export interface OpenDraft {
  view: DraftView;
  /** Highest operation before it was signed: a higher one tells that it was. */
  before: number;
  after: (() => void) | null;
}

const state = $state<{ list: OpenDraft[] }>({ list: [] });

export const openDrafts = (): readonly OpenDraft[] => state.list;

export const newestOperation = async (): Promise<number> => {
  const [newest] = await host().invoke('operations', { open: null, limit: 1 });
  return newest?.operation ?? 0;
};

/** Opens the confirm window for a draft and remembers the draft. `after` runs once it is signed. */
export async function present(view: DraftView, after: (() => void) | null = null): Promise<void> {
  const before = await newestOperation();
  state.list = [...state.list.filter((d) => d.view.draft !== view.draft), { view, before, after }];
  await host().openConfirm(view.draft);
}

/** `false` when it was forgotten before. */
export function forget(draft: number): boolean {
  const before = state.list.length;
  state.list = state.list.filter((d) => d.view.draft !== draft);
  return state.list.length < before;
}

/** Frees the coins of a draft that is planned anew. */
export async function replace(draft: number | null): Promise<void> {
  if (draft === null || !state.list.some((d) => d.view.draft === draft)) return;
  forget(draft);
  await run('draft_discard', { draft }).catch(() => undefined);
}
