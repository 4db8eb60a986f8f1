// Amounts are whole atoms in BigInt. Nothing here passes through a floating point number but the geometry of drawings.
import type { AssetLabel, Atoms } from '$/ipc';

export const BTC: Pick<AssetLabel, 'ticker' | 'precision'> = { ticker: 'BTC', precision: 8 };

/** One piece of a written amount; `dim` when it and all after it are zeros. */
export interface Group {
  text: string;
  dim: boolean;
}

const thousands = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** The digits as they are written: eight places in groups 2-3-3 after the point, other precisions in one piece. */
export function groups(atoms: Atoms | bigint, precision: number): Group[] {
  const value = BigInt(atoms);
  const digits = (value < 0n ? -value : value).toString().padStart(precision + 1, '0');
  const whole = thousands(digits.slice(0, digits.length - precision));
  const part = digits.slice(digits.length - precision);
  if (precision === 0) return [{ text: whole, dim: false }];
  if (precision !== 8) return [{ text: `${whole}.${part}`, dim: false }];
  const [b, c] = [part.slice(2, 5), part.slice(5)];
  return [
    { text: `${whole}.${part.slice(0, 2)}`, dim: false },
    { text: b, dim: b === '000' && c === '000' },
    { text: c, dim: c === '000' },
  ];
}

/** A plain decimal, as a copy holds it: `0.74981240`. */
export function plain(atoms: Atoms | bigint, precision: number): string {
  const value = BigInt(atoms);
  const digits = (value < 0n ? -value : value).toString().padStart(precision + 1, '0');
  const sign = value < 0n ? '-' : '';
  return precision === 0 ? sign + digits : `${sign}${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

/** For prose: trailing zeros dropped, at least two places when there are any. `0.25 BTC`. */
export function prose(atoms: Atoms | bigint, asset: Pick<AssetLabel, 'ticker' | 'precision'>): string {
  const value = BigInt(atoms);
  const text = plain(value < 0n ? -value : value, asset.precision);
  const [whole = '0', part = ''] = text.split('.');
  const short = part.replace(/0+$/, '');
  const shown = short === '' ? '' : `.${short.padEnd(Math.min(2, asset.precision), '0')}`;
  return `${value < 0n ? '\u2212' : ''}${thousands(whole)}${shown} ${asset.ticker}`;
}

export type Parsed = { ok: true; atoms: bigint } | { ok: false; why: 'empty' | 'malformed' | 'too-precise' };

/** Reads a decimal that a person typed, exactly. Commas and spaces between digits are ignored; a lone comma is no point. */
export function parse(text: string, precision: number): Parsed {
  const clean = text.trim().replace(/[\s,_]/g, '');
  if (clean === '') return { ok: false, why: 'empty' };
  const match = /^(\d{0,20})(?:\.(\d*))?$/.exec(clean);
  if (!match || clean === '.') return { ok: false, why: 'malformed' };
  const part = match[2] ?? '';
  if (part.length > precision && /[1-9]/.test(part.slice(precision))) return { ok: false, why: 'too-precise' };
  return { ok: true, atoms: BigInt((match[1] || '0') + part.slice(0, precision).padEnd(precision, '0')) };
}

/** `part` of `whole` between 0 and 1, for drawings only. */
export function ratio(part: Atoms | bigint, whole: Atoms | bigint): number {
  const [p, w] = [BigInt(part), BigInt(whole)];
  return w === 0n ? 0 : Number((p * 1_000_000n) / w) / 1_000_000;
}

export const sum = (amounts: Iterable<Atoms | bigint>): bigint => {
  let total = 0n;
  for (const amount of amounts) total += BigInt(amount);
  return total;
};

/** A fee rate in sat/kvB as sat/vB with up to three places. */
export function rate(perKvb: number): string {
  const text = (perKvb / 1_000).toFixed(3).replace(/0+$/, '');
  return text.endsWith('.') ? `${text}0` : text;
}

/** Hundredths of a percent as a percentage: 2 is `0.02 %`. */
export const percent = (hundredths: number): string => `${(hundredths / 100).toFixed(2)} %`;
