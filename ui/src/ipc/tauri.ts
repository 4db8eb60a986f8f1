// The only file that talks to Tauri.
import { Channel, invoke } from '@tauri-apps/api/core';
import type { Notice, Progress } from './bindings';
import { asFailure, type Host } from './host';

/** A call that rejects with a `Failure`, whatever was thrown. */
async function call<T>(name: string, args: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(name, args);
  } catch (thrown) {
    throw asFailure(thrown);
  }
}

export const tauri: Host = {
  invoke: (name, request) => call(name, { request }),
  async subscribe(onNotice, onProgress) {
    const channel = new Channel<Notice | Progress>();
    channel.onmessage = (message) => ('seq' in message ? onNotice(message) : onProgress(message));
    await call('subscribe', { channel });
  },
  openConfirm: (draft) => call('open_confirm', { draft }),
  closeConfirm: () => call('close_confirm', {}),
  openWords: (purpose, wallet) => call('open_words', { purpose, wallet, language: document.documentElement.lang, dark: document.documentElement.dataset.theme === 'dark' }),
  saveFile: async (name, text) => (await call<{ path: string } | null>('save_file', { name, text }))?.path ?? null,
  copyText: (text) => call('copy_text', { text }),
  chooseTextFile: async () => (await call<{ text: string } | null>('choose_text_file', {}))?.text ?? null,
  keyringState: (wallet) => call('keyring_state', { wallet }),
  keyringRemember: (wallet, password) => call('keyring_remember', { wallet, password }),
  keyringForget: (wallet, password) => call('keyring_forget', { wallet, password }),
  keyringUnlock: (wallet) => call('keyring_unlock', { wallet }),
};
