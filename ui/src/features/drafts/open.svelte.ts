// Drafts that were opened in this window: what is said and done once they are signed.
import { host, type DraftView } from '$/ipc';
import { run } from '$/ipc/query.svelte';
import { tell } from '$/shell/toasts.svelte';
import { t } from '$/words/index.svelte';
import { draftTitle } from './words';

interface OpenDraft {
  view: DraftView;
  /** Highest operation before it was signed: a higher one tells that it was. */
  before: number;
  after: (() => void) | null;
  /** The list of drafts had it: when it has it no longer, it ended. */
  listed: boolean;
}

let opened: OpenDraft[] = [];
let listed: readonly DraftView[] = [];

const newestOperation = async (): Promise<number> => {
  const [newest] = await host().invoke('operations', { open: null, limit: 1 });
  return newest?.operation ?? 0;
};

const has = (view: DraftView): boolean => listed.some(({ draft }) => draft === view.draft);

/** Opens the confirm window for a draft and remembers the draft. `after` runs once it is signed and sent. */
export async function present(view: DraftView, after: (() => void) | null = null): Promise<void> {
  const before = await newestOperation();
  opened = [...opened.filter((d) => d.view.draft !== view.draft), { view, before, after, listed: has(view) }];
  await host().openConfirm(view.draft);
}

/** Tells of drafts that left the list because they were signed and sent. */
export function settle(list: readonly DraftView[]): void {
  listed = list;
  for (const one of opened) {
    if (has(one.view)) one.listed = true;
    else if (one.listed) void ended(one);
  }
}

async function ended(one: OpenDraft): Promise<void> {
  forget(one.view.draft);
  if ((await newestOperation()) <= one.before) return;
  tell(t('draft.signed', { what: draftTitle(one.view) }));
  one.after?.();
}

export function forget(draft: number): void {
  opened = opened.filter((d) => d.view.draft !== draft);
}

/** Another wallet is looked at: its list says nothing of these. */
export function forgetAll(): void {
  opened = [];
  listed = [];
}

/** Frees the coins of a draft that is planned anew. */
export async function replace(draft: number | null): Promise<void> {
  if (draft === null || !opened.some((d) => d.view.draft === draft)) return;
  forget(draft);
  await run('draft_discard', { draft }).catch(() => undefined);
}
