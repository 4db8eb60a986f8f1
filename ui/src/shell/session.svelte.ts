// What the whole window follows: language, theme and hidden amounts from the settings.
import { language, languageOf, setLanguage } from '$/words/index.svelte';
import { setHidden } from '$/kit/hide.svelte';
import type { Settings, Theme } from '$/ipc';

export function applyTheme(theme: Theme): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    document.documentElement.dataset.theme = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
  };
  apply();
  if (theme !== 'system') return () => {};
  dark.addEventListener('change', apply);
  return () => dark.removeEventListener('change', apply);
}

export function applySettings(settings: Settings): () => void {
  const next = languageOf(settings.language, navigator.languages);
  if (next !== language() || document.documentElement.lang !== next) setLanguage(next);
  setHidden(settings.hide_amounts);
  return applyTheme(settings.theme);
}
