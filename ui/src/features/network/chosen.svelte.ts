// What was chosen elsewhere, on its way to the send page: coins, an address, an asset.
import type { AssetId, NetworkId } from '$/ipc';

export interface Chosen {
  network: NetworkId;
  coins?: readonly string[];
  address?: string;
  asset?: AssetId;
}

let chosen: Chosen | null = null;

export function choose(next: Chosen): void {
  chosen = next;
}

/** Takes it once. */
export function takeChosen(network: NetworkId): Chosen | null {
  const found = chosen?.network === network ? chosen : null;
  chosen = null;
  return found;
}
