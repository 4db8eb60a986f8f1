// Whether a review adds up: what is spent and created is what leaves, comes back, is destroyed, and the fee.
import type { AssetLabel, Review } from '$/ipc';

export interface Sum {
  asset: AssetLabel;
  into: bigint;
  out: bigint[];
}

/** The fee is paid in the network's own coin, which leads the list. */
export function sums(review: Review, coin: (asset: AssetLabel) => boolean): Sum[] {
  const byAsset = new Map<string, Sum>();
  const of = (asset: AssetLabel): Sum => {
    const found = byAsset.get(asset.id) ?? { asset, into: 0n, out: [] };
    byAsset.set(asset.id, found);
    return found;
  };
  for (const { asset, amount } of [...review.spends, ...review.creates]) of(asset).into += BigInt(amount);
  // What is destroyed may be listed among what leaves as well: it counts once.
  const burned = review.leaves.some((output) => output.role === 'burn') ? [] : review.destroys;
  for (const { asset, amount } of [...review.leaves, ...burned, ...review.comes_back]) of(asset).out.push(BigInt(amount));
  for (const sum of byAsset.values()) if (coin(sum.asset)) sum.out.push(BigInt(review.fee));
  return [...byAsset.values()].sort((a, b) => Number(coin(b.asset)) - Number(coin(a.asset)));
}

export const balanced = (sum: Sum): boolean => sum.into === sum.out.reduce((a, b) => a + b, 0n);
