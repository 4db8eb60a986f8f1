// A refusal or fault in words: what, why, what now.
import type { AssetLabel, Code, Failure } from '$/ipc';
import { prose, rate } from '$/kit/amount';
import { duration } from '$/kit/time.svelte';
import type { FailureWords, Part } from './failure';
import { failuresEn } from './failures.en';
import { failuresZhHans } from './failures.zh-Hans';
import { failuresZhHant } from './failures.zh-Hant';
import { fill, language, type Language } from './index.svelte';

export const failures: Record<Language, FailureWords> = { en: failuresEn, 'zh-Hans': failuresZhHans, 'zh-Hant': failuresZhHant };

const COIN = { ticker: 'BTC', precision: 8 };
/** Codes whose amounts are in an asset of their own. */
const AMOUNTS: Partial<Record<Code, readonly string[]>> = {
  'insufficient-funds': ['available', 'needed'], 'insufficient-fee': ['available', 'needed'], dust: ['least'], 'above-supply': ['most'],
  'stake-amount': ['least', 'most'],
};

/** The arguments as they are read: atoms become amounts, seconds a duration. What cannot be read is left out. */
function readable({ code, args = {} }: Failure, assets: readonly AssetLabel[]): Record<string, string> {
  const asset = assets.find((a) => a.id === args.asset) ?? (args.asset === undefined || args.asset === 'btc' ? COIN : null);
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(args)) {
    const whole = /^\d{1,20}$/.test(value);
    if (AMOUNTS[code]?.includes(name)) {
      if (whole && asset) shown[name] = prose(value, asset);
    } else if (name === 'wait_seconds') {
      if (whole) shown[name] = duration(Number(value));
    } else if (code === 'fee-too-low') {
      if (whole) shown[name] = `${rate(Number(value))} sat/vB`;
    } else if (value.length <= 80 && !/[\u202a-\u202e\u2066-\u2069]/.test(value)) shown[name] = value;
  }
  return shown;
}

function pick(part: Part, args: Record<string, string>): string {
  if (typeof part === 'string') return fill(part, args);
  const [figures, plain] = part;
  const needed = [...figures.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!);
  return needed.every((name) => name in args) ? fill(figures, args) : plain;
}

export function failureWords(failure: Failure, assets: readonly AssetLabel[] = []): { what: string; why: string; now: string } {
  const words = failures[language()][failure.code] ?? failures[language()].bug;
  const args = readable(failure, assets);
  return { what: words.what, why: pick(words.why, args), now: pick(words.now, args) };
}
