import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Entry } from './dictionary';
import { en } from './en';
import type { Part } from './failure';
import { failures, failureWords } from './failures.svelte';
import { LANGUAGES, dictionaries, languageOf, setLanguage, t } from './index.svelte';

const forms = (entry: Entry): string[] => (typeof entry === 'string' ? [entry] : [entry.one, entry.other].filter((s) => s !== undefined));
const parts = (part: Part): string[] => (typeof part === 'string' ? [part] : [...part]);
const holes = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!))].sort();
const keys = Object.keys(en) as (keyof typeof en)[];
/** The codes of the contract, read from the generated file, so that a new one is noticed here. */
const codes = [.../export type Code = (.*);/.exec(readFileSync('src/ipc/bindings.ts', 'utf8'))![1]!.matchAll(/"([a-z-]+)"/g)].map((m) => m[1]!);

describe.each(LANGUAGES)('%s', (language) => {
  const words = dictionaries[language];

  test('says everything, with the same placeholders', () => {
    expect(Object.keys(words).sort()).toEqual([...keys].sort());
    for (const key of keys) {
      const wanted = holes(forms(en[key] as Entry).join(' '));
      expect([key, holes(forms(words[key]).join(' '))]).toEqual([key, wanted]);
    }
  });

  test('no sentence is empty or holds an address, a link or a direction mark', () => {
    const all = [...keys.flatMap((key) => forms(words[key])), ...Object.values(failures[language]).flatMap((f) => [f.what, ...parts(f.why), ...parts(f.now)])];
    for (const text of all) {
      expect(text.trim()).not.toBe('');
      expect(text).not.toMatch(/https?:|\b(?:bc|tb|bcrt|ex|el|ert|lq|tlq)1[a-z0-9]{6,}|[0-9a-f]{16,}/i);
      expect(text).not.toMatch(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
      expect(text).not.toMatch(/!|！/);
    }
  });

  test('every code of the contract has words: what, why, what now', () => {
    expect(codes.length).toBeGreaterThan(40);
    expect(Object.keys(failures[language]).sort()).toEqual([...codes].sort());
    for (const [code, words] of Object.entries(failures[language])) {
      expect([code, holes(words.what)]).toEqual([code, []]);
      for (const part of [words.why, words.now]) {
        if (typeof part === 'string') expect([code, holes(part)]).toEqual([code, []]);
        else expect([code, holes(part[1])]).toEqual([code, []]);
      }
      const english = failures.en[code as keyof typeof failures.en];
      expect([code, holes(parts(words.why).join()), holes(parts(words.now).join())]).toEqual([code, holes(parts(english.why).join()), holes(parts(english.now).join())]);
    }
  });

  test('a failure without its figures still makes sentences', () => {
    setLanguage(language);
    for (const code of codes) {
      const words = failureWords({ code: code as 'bug', args: {} });
      expect(`${words.what}${words.why}${words.now}`).not.toMatch(/[{}]|undefined/);
    }
  });
});

describe('words', () => {
  test('plurals follow the number', () => {
    setLanguage('en');
    expect(t('overview.coins', { n: 1 })).toBe('1 coin');
    expect(t('overview.coins', { n: 1_284 })).toBe('1,284 coins');
    setLanguage('zh-Hans');
    expect(t('overview.coins', { n: 1 })).toBe('1 枚币');
  });

  test('amounts in a refusal are read in their asset', () => {
    setLanguage('en');
    const words = failureWords({ code: 'insufficient-funds', args: { asset: 'btc', available: '150000', needed: '250000' } });
    expect(words.why).toBe('0.0015 BTC is spendable and 0.0025 BTC is needed.');
    const stranger = failureWords({ code: 'insufficient-funds', args: { asset: 'ff'.repeat(32), available: '1', needed: '2' } });
    expect(stranger.why).not.toMatch(/\d/);
  });

  test('hostile text in an argument is not shown', () => {
    setLanguage('en');
    expect(failureWords({ code: 'bad-peer', args: { peer: '\u202egnp.exe' } }).why).not.toContain('gnp');
    expect(failureWords({ code: 'bad-peer', args: { peer: 'x'.repeat(500) } }).why).not.toContain('xxx');
  });

  test('the system decides when the setting is empty', () => {
    expect(languageOf('', ['zh-TW', 'en'])).toBe('zh-Hant');
    expect(languageOf('', ['zh-CN'])).toBe('zh-Hans');
    expect(languageOf('', ['de-DE', 'en-GB'])).toBe('en');
    expect(languageOf('', ['fr'])).toBe('en');
    expect(languageOf('zh-Hant', ['en'])).toBe('zh-Hant');
  });
});
