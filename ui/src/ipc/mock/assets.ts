// Assets and addresses of the world in memory. Everything here is invented.
import type { AssetLabel, NetworkId } from '../bindings';

export const BTC: AssetLabel = { id: 'btc', ticker: 'BTC', name: 'Bitcoin', precision: 8, named: true };
export const LBTC: AssetLabel = {
  id: '5ac9f65c0efcc4775e0baec4ec03abdde22473cd3cf33c0419ca290e0751b225',
  ticker: 'L-BTC',
  name: 'Liquid Bitcoin',
  precision: 8,
  named: true,
};
export const HBR27: AssetLabel = {
  id: '7b0f64ce3ab3d44db9a901806ef40467c61a7346cc264c7655461e5da9b95b7a',
  ticker: 'HBR27',
  name: 'Harbour Bond 2027',
  precision: 2,
  named: true,
};
export const HBR27_TOKEN: AssetLabel = {
  id: '1b9e7c0fe2c4d8a1937bb5d2f60c4e19a8b7c6d5e4f30211a0b9c8d7e6f54e19',
  ticker: '1b9e7c0f',
  name: '',
  precision: 0,
  named: false,
};
export const FAKE: AssetLabel = {
  id: '9c41d2aa6b5f4e3d2c1b0a998877665544332211ffeeddccbbaa99887766c0de',
  ticker: 'HBR27',
  name: 'Harbour Bond 2027',
  precision: 2,
  named: true,
};
export const PEARL: AssetLabel = {
  id: 'c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2',
  ticker: 'PEARL',
  name: 'Pearl loyalty points',
  precision: 0,
  named: true,
};

/** A small generator with a fixed seed, so that every run shows the same world. */
export function dice(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = (roll: () => number, letters: string, length: number): string =>
  Array.from({ length }, () => letters[Math.floor(roll() * letters.length)]).join('');

export const hex = (roll: () => number, length = 64): string => pick(roll, '0123456789abcdef', length);

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

export function address(roll: () => number, network: NetworkId, explicit = false): string {
  if (network === 'bitcoin') return `bcrt1q${pick(roll, BECH32, 38)}`;
  return explicit ? `ert1q${pick(roll, BECH32, 38)}` : `el1qq${pick(roll, BECH32, 95)}`;
}

/** Looks like a QR code of that size; it is not one. */
export function qr(text: string): string[] {
  const size = text.length > 78 ? 45 : 33;
  const roll = dice([...text].reduce((sum, c) => (Math.imul(sum, 31) + c.charCodeAt(0)) >>> 0, 7));
  const finder = (x: number, y: number): boolean | null => {
    for (const [fx, fy] of [[0, 0], [size - 7, 0], [0, size - 7]] as const) {
      const dx = x - fx;
      const dy = y - fy;
      if (dx < -1 || dy < -1 || dx > 7 || dy > 7) continue;
      const ring = Math.max(Math.abs(dx - 3), Math.abs(dy - 3));
      return ring === 3 || ring < 2;
    }
    return null;
  };
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => {
      const random = roll() < 0.48;
      return (finder(x, y) ?? random) ? '1' : '0';
    }).join(''),
  );
}
