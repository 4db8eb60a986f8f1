import { asFailure, host } from '$/ipc';
import { refuse, tell } from '$/shell/toasts.svelte';
import { t } from '$/words/index.svelte';

/** Copies a text and says so. */
export async function copy(text: string): Promise<void> {
  try {
    await host().copyText(text);
    tell(t('common.copied'));
  } catch (thrown) {
    refuse(asFailure(thrown));
  }
}

/** Saves a file where the host puts files, and says where. */
export async function save(file: { name: string; text: string } | null, words?: (path: string) => string): Promise<void> {
  if (!file) return;
  try {
    const path = await host().saveFile(file.name, file.text);
    if (path) tell(words ? words(path) : t('common.saved', { path }));
  } catch (thrown) {
    refuse(asFailure(thrown));
  }
}
