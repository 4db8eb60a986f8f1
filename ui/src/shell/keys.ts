// Keys that work everywhere: Ctrl/Cmd-K, Ctrl/Cmd-1..9, and / for the search of the page.
import { PAGES, go } from './route.svelte';

export function keys(event: KeyboardEvent, find: (() => void) | null): void {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (!find) return;
  if (command && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    find();
    return;
  }
  const page = command ? PAGES[Number(event.key) - 1] : undefined;
  if (page && document.querySelector('dialog[open]') === null) {
    event.preventDefault();
    go(page);
    return;
  }
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (event.key === '/' && !command && target?.closest('input, textarea, select, dialog') == null) {
    const search = document.querySelector<HTMLInputElement>('[data-search]');
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
}
