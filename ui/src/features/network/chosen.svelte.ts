// Coins chosen in the list, on their way to the send page.
import type { NetworkId } from '$/ipc';

let chosen: { network: NetworkId; coins: readonly string[] } | null = null;

export function choose(network: NetworkId, coins: readonly string[]): void {
  chosen = { network, coins };
}

/** Takes them once. */
export function takeChosen(network: NetworkId): readonly string[] | null {
  const found = chosen?.network === network ? chosen.coins : null;
  chosen = null;
  return found;
}
