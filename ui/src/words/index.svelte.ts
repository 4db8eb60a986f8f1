// The words of the face, in the language of the settings. Reading them in a template follows a change of language.
import type { Arguments, Dictionary, Entry, WordKey } from './dictionary';
import { en } from './en';
import { zhHans } from './zh-Hans';
import { zhHant } from './zh-Hant';

export const LANGUAGES = ['en', 'zh-Hans', 'zh-Hant'] as const;
export type Language = (typeof LANGUAGES)[number];
/** How each language calls itself; never translated. */
export const ENDONYM: Record<Language, string> = { en: 'English', 'zh-Hans': '简体中文', 'zh-Hant': '繁體中文' };

export const dictionaries: Record<Language, Dictionary> = { en, 'zh-Hans': zhHans, 'zh-Hant': zhHant };

const state = $state<{ language: Language }>({ language: 'en' });

export const language = (): Language => state.language;

/** The language for a setting; empty follows the system. */
export function languageOf(setting: string, system: readonly string[]): Language {
  const chosen = LANGUAGES.find((l) => l === setting);
  if (chosen) return chosen;
  for (const tag of system) {
    if (/^zh\b/i.test(tag)) return /hant|tw|hk|mo/i.test(tag) ? 'zh-Hant' : 'zh-Hans';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

export function setLanguage(next: Language): void {
  state.language = next;
  document.documentElement.lang = next;
}

/** Thousands by comma, in every language. */
export function count(n: number): string {
  return String(Math.trunc(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

export function fill(sentence: string, args: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = args[name];
    return value === undefined ? whole : typeof value === 'number' ? count(value) : value;
  });
}

function say(entry: Entry, args: Record<string, string | number>): string {
  if (typeof entry === 'string') return fill(entry, args);
  const form = state.language === 'en' && args.n === 1 ? (entry.one ?? entry.other) : entry.other;
  return fill(form, args);
}

/** The words for `key`, with its placeholders filled. */
export function t<K extends WordKey>(key: K, ...args: Arguments<K>): string {
  return say(dictionaries[state.language][key], args[0] ?? {});
}
