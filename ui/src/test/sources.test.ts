// Rules about the sources that no type can say.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

function files(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}
const all = files('src').map((path) => ({ path, text: readFileSync(path, 'utf8') }));
const product = all.filter((f) => !f.path.endsWith('.test.ts'));
const offenders = (list: typeof all, pattern: RegExp) => list.filter((f) => pattern.test(f.text)).map((f) => f.path);

test('only ipc/tauri.ts talks to Tauri', () => {
  expect(offenders(product, /@tauri-apps\//)).toEqual(['src/ipc/tauri.ts']);
});

test('no markup carries its own style, raw HTML or inline handlers, which the content policy refuses', () => {
  const markup = product.filter((f) => f.path.endsWith('.svelte'));
  expect(markup.length).toBeGreaterThan(40);
  expect(offenders(markup, /\sstyle=/)).toEqual([]);
  expect(offenders(markup, /\{@html/)).toEqual([]);
  expect(offenders(markup, /\son[a-z]+="/)).toEqual([]);
});

test('no data, blob or web address is loaded by a stylesheet or a component', () => {
  const loads = product.filter((f) => /\.(css|svelte)$/.test(f.path));
  expect(offenders(loads, /url\(\s*["']?(?:data|blob|https?):/)).toEqual([]);
  expect(offenders(loads, /(?:src|href)="(?:data|blob|https?):/)).toEqual([]);
});

test('nothing is logged', () => {
  expect(offenders(product, /console\./)).toEqual([]);
});

test('features do not import each other in circles through the kit or the words', () => {
  expect(offenders(product.filter((f) => f.path.startsWith('src/words/')), /features\//)).toEqual([]);
  expect(offenders(product.filter((f) => f.path.startsWith('src/ipc/')), /\$\/(?:features|shell|kit)\//)).toEqual([]);
});

test('every button, link and field that a person uses has a name for the drivers where it starts something', () => {
  // Actions that only close or cancel what is open may go without.
  for (const { path, text } of product.filter((f) => f.path.endsWith('.svelte') && f.path.includes('features')))
    for (const [tag] of text.matchAll(/<Action\b(?:[^>]|=>)*?\/>/gs))
      if (/look="primary"/.test(tag)) expect([path, tag]).toEqual([path, expect.stringContaining('testid=')]);
});
