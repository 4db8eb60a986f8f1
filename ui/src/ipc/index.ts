// One host per window, chosen before the first frame.
import type { Host } from './host';

let current: Host | null = null;

/** The host of this window. */
export function host(): Host {
  if (!current) throw new Error('BUG: the host is asked for before it was chosen');
  return current;
}

export function useHost(next: Host): void {
  current = next;
}

/** Picks the real host, or the world in memory when a development page asks for it with `?mock`. */
export async function chooseHost(): Promise<Host> {
  if (import.meta.env.DEV && new URLSearchParams(location.search).has('mock')) {
    const { pageHost } = await import('./mock/page');
    current = pageHost();
  } else {
    const { tauri } = await import('./tauri');
    current = tauri;
  }
  return current;
}

export * from './bindings';
export { asFailure, type Answer, type CommandName, type Host, type KeyringState, type Request, type WordsPurpose } from './host';
