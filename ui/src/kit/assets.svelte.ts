// The assets this window has heard of, so that refusals can name amounts in them.
import type { AssetLabel } from '$/ipc';

const state = $state<{ list: readonly AssetLabel[] }>({ list: [] });

export const assetLabels = (): readonly AssetLabel[] => state.list;
export function knowAssets(list: readonly AssetLabel[]): void {
  state.list = list;
}
