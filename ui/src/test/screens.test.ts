// Every screen in every state: it says something, in words, and nothing is wrong with its structure.
import axe from 'axe-core';
import { describe, expect, test } from 'vitest';
import App from '$/shell/App.svelte';
import Confirm from '$/features/confirm/Confirm.svelte';
import { HBR27, HBR27_TOKEN } from '$/ipc/mock/assets';
import type { Scenario } from '$/ipc/mock/seed';
import { World } from '$/ipc/mock/world';
import { en } from '$/words/en';
import type { Language } from '$/words/index.svelte';
import { stage, type Stage } from './stage';

const PATHS: Record<string, string[]> = {
  overview: [], bitcoin: ['bitcoin'], coins: ['sidechain', 'coins'], addresses: ['bitcoin', 'addresses'], receive: ['sidechain', 'receive'], 'receive bitcoin': ['bitcoin', 'receive'],
  send: ['sidechain', 'send'], 'send bitcoin': ['bitcoin', 'send'], assets: ['assets'], asset: ['assets', HBR27.id], issue: ['assets', 'issue'], distribute: ['assets', HBR27.id, 'distribute'], holders: ['assets', HBR27.id, 'holders'], redemptions: ['assets', HBR27.id, 'redeem'], registry: ['assets', HBR27.id, 'registry'], swaps: ['assets', 'swap'], kinds: ['assets', 'kinds'], ledger: ['assets', 'ledger'], coloured: ['assets', 'coloured', 'oMsYAJSAmVtdMEy4isBVdHWvPDy6tUVZYW'], bridge: ['bridge'], 'peg in': ['bridge', 'in'],
  'peg out': ['bridge', 'out'], finished: ['bridge', 'finished'], audit: ['bridge', 'audit'], staking: ['staking'], activity: ['activity'], operations: ['activity', 'operations'], settings: ['settings'],
};
const SCENARIOS: Scenario[] = ['full', 'empty', 'halted', 'loading', 'offline', 'paused', 'long', 'watch'];

/** Structural rules only: a document without layout cannot measure contrast; the tokens are measured in their own test. */
async function violations(): Promise<string[]> {
  const { violations } = await axe.run(document, { rules: { 'color-contrast': { enabled: false } }, resultTypes: ['violations'] });
  return violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`);
}

const KEY = new RegExp(`(?:^|[\\s>"'])(?:${[...new Set(Object.keys(en).map((k) => k.split('.')[0]))].join('|')})\\.[a-z][\\w.-]+(?:$|[\\s<"'])`);

async function sound(s: Stage): Promise<void> {
  const said = [s.text(), ...[...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap((e) => ['aria-label', 'title', 'placeholder'].map((a) => e.getAttribute(a) ?? ''))].join('\n');
  expect(said.trim().length).toBeGreaterThan(40);
  expect(said).not.toMatch(/\{\w+\}|undefined|\[object|NaN/);
  expect(said).not.toMatch(KEY);
  expect(await violations()).toEqual([]);
}

describe.each(SCENARIOS)('%s', (scenario) => {
  test.each(Object.entries(PATHS))('%s', async (_, path) => {
    const s = await stage(App, {}, { scenario, path });
    await sound(s);
    await s.close();
  });
});

describe.each(['zh-Hans', 'zh-Hant'] as Language[])('%s', (language) => {
  test.each(Object.entries(PATHS))('%s', async (_, path) => {
    const s = await stage(App, {}, { scenario: 'full', path, language });
    await sound(s);
    expect(document.documentElement.lang).toBe(language);
    const main = document.querySelector('main')!.textContent!;
    expect(main).toMatch(/\p{Script=Han}/u);
    // What stays English is names, units and addresses: no sentence of the English words file.
    for (const sentence of Object.values(en)) if (typeof sentence === 'string' && sentence.length > 24 && !sentence.includes('{')) expect(main).not.toContain(sentence);
    await s.close();
  });
});

test.each([['first run', 'fresh'], ['lock', 'locked']] as [string, Scenario][])('%s', async (_, scenario) => {
  const s = await stage(App, {}, { scenario });
  await sound(s);
  await s.close();
});

test('one transaction, and as others see it', async () => {
  const world = new World('full');
  for (const row of world.state.history) {
    const s = await stage(App, {}, { world, path: ['activity', row.network, row.txid] });
    await sound(s);
    expect(s.find('flow').querySelector('[role=img]')).not.toBeNull();
    await s.click('viewpoint-others');
    if (row.network === 'sidechain') expect(s.find('flow').textContent).toContain('Not visible');
    await s.close();
  }
});

test.each([
  ['label', ['sidechain', 'coins'], ['coin-0-label']], ['import a draft', ['activity'], ['draft-import']], ['check a proof', ['activity'], ['proof-open']],
  ['burn', ['assets', HBR27.id], ['asset-burn']], ['reissue', ['assets', HBR27.id], ['asset-reissue']], ['contract', ['assets'], ['asset-import']], ['use a token', ['assets', HBR27_TOKEN.id], ['asset-token-use']], ['burn the token', ['assets', HBR27.id], ['asset-token-burn']], ['ask for a redemption', ['assets', HBR27.id, 'redeem'], ['redeem-new']],
  ['name a holder', ['assets', HBR27.id, 'holders'], ['holders-add']],
  ['password', ['settings'], ['settings-password']], ['rename', ['settings'], ['wallet-1-rename']], ['forget', ['settings'], ['wallet-1-forget']], ['add a wallet', ['settings'], ['wallet-add']],
  ['watch', ['settings'], ['wallet-add', 'wallet-watch']],
] as [string, string[], string[]][])('the dialog to %s', async (_, path, clicks) => {
  const s = await stage(App, {}, { scenario: 'full', path });
  for (const click of clicks) await s.click(click);
  expect(document.querySelector('dialog[open]')).not.toBeNull();
  await sound(s);
  await s.click('dialog-close');
  expect(document.querySelector('dialog[open]')).toBeNull();
  await s.close();
});

test('the confirm window for every kind of draft', async () => {
  const asset = HBR27.id;
  const to = new World('full').state.history[0]!.counterparty;
  const plans: ((world: World) => Promise<{ draft: number }>)[] = [
    (w) => w.invoke('send_plan', { network: 'sidechain', recipients: [{ address: to, amount: '1250000', asset: null }, { address: to, amount: '500', asset }], fee_rate: null, coins: null, drain: null, allow_explicit: false, label: '' }),
    (w) => w.invoke('peg_in_plan', { amount: '2500000', drain: false, fee_rate: null, coins: null }),
    (w) => w.invoke('peg_out_plan', { amount: '1000000', drain: false, destination: null, fee_rate: null }),
    (w) => w.invoke('issue_plan', { amount: '100000', precision: 2, ticker: 'TIDE', name: 'Tide', domain: 'tide.example', reissuable: true, blinded: true, fee_rate: null }),
    (w) => w.invoke('reissue_plan', { asset, amount: '10000', entropy: null, fee_rate: null }),
    (w) => w.invoke('burn_plan', { asset, amount: '10000', label: '', fee_rate: null }),
  ];
  for (const plan of plans) {
    const world = new World('full');
    const { draft } = await plan(world);
    const s = await stage(Confirm, { draft }, { world });
    await sound(s);
    expect(s.find('confirm-hold').getAttribute('aria-disabled')).toBeNull();
    expect(s.find('confirm-sums').querySelectorAll('.t-halted')).toHaveLength(0);
    expect(document.activeElement?.getAttribute('data-testid')).toBe('confirm-cancel');
    await s.close();
  }
  const gone = await stage(Confirm, { draft: 999 });
  await sound(gone);
  await gone.close();
});
