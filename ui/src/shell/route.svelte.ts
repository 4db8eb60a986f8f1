// Where the window is, kept in the address' hash so that back works and a place can be named.
import type { NetworkId } from '$/ipc';

export type Page = 'overview' | 'bitcoin' | 'sidechain' | 'assets' | 'bridge' | 'staking' | 'activity' | 'settings';
export const PAGES: readonly Page[] = ['overview', 'bitcoin', 'sidechain', 'assets', 'bridge', 'staking', 'activity', 'settings'];

const read = (): string[] => location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);

const state = $state<{ parts: string[] }>({ parts: read() });
addEventListener('hashchange', () => {
  state.parts = read();
});

/** The page, and what follows it: `bitcoin`, `['send']`. */
export const page = (): Page => PAGES.find((p) => p === state.parts[0]) ?? 'overview';
export const rest = (): string[] => state.parts.slice(1);

export const href = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;

export function go(...parts: string[]): void {
  const next = href(...parts);
  if (location.hash !== next) location.hash = next;
  state.parts = read();
}

export const transactionPath = (network: NetworkId, txid: string): string[] => ['activity', network, txid];
