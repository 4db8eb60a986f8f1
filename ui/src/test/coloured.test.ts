// Assets of coloured coins: chosen, issued, sent, listed, and never spent by accident.
import { expect, test } from 'vitest';
import { World } from '$/ipc/mock/world';
import { en } from '$/words/en';
import App from '$/shell/App.svelte';
import { stage } from './stage';

const BERTH = 'oMsYAJSAmVtdMEy4isBVdHWvPDy6tUVZYW';

test('every kind says what it means before one is chosen', async () => {
  const s = await stage(App, {}, { path: ['assets'] });
  await s.click('asset-kinds');
  for (const kind of ['native', 'open-assets', 'colu', 'epobc', 'counterparty'] as const) expect(s.text()).toContain(en[`coloured.about.${kind}`]);
  await s.click('kind-colu');
  await s.type('coloured-amount', '1000.5');
  expect(s.text()).toContain(en['coloured.about.colu']);
  expect((s.find('coloured-review') as HTMLButtonElement).getAttribute('aria-disabled') ?? 'true').toBe('true');
  await s.type('coloured-amount', '1000');
  await s.click('coloured-review');
  expect(s.world.asked.confirm).toHaveLength(1);
  await s.close();
});

test('units are sent, and holders are read from the blocks', async () => {
  const s = await stage(App, {}, { path: ['assets'] });
  expect(s.find('coloured').textContent).toContain('Open Assets');
  await s.click(`coloured-${BERTH}`);
  location.hash = `#/assets/coloured/${BERTH}`;
  dispatchEvent(new HashChangeEvent('hashchange'));
  await s.settle();
  await s.type('coloured-to', 'bcrt1q6tc0msqt5r7j30tselwvxcrkegxcxvjpnla482');
  await s.type('coloured-amount', '250');
  await s.click('coloured-review');
  expect(s.world.asked.confirm).toHaveLength(1);
  await s.click('coloured-holders');
  expect(s.text()).toContain('9,999,000');
  await s.close();
});

test('what a server says is marked as reported', async () => {
  const s = await stage(App, {}, { path: ['assets'] });
  await s.click('ledger-ask');
  expect(s.find('ledger').textContent).toContain('HARBOUR.berths');
  expect(s.find('ledger').querySelector('.known.reported')).not.toBeNull();
  await s.close();
});

test('a coin that holds assets cannot be picked, and says why', async () => {
  const world = new World('full');
  const coin = world.state.coins.bitcoin[0]!;
  coin.guarded = { code: 'holds-assets', args: { outpoint: coin.outpoint } };
  const s = await stage(App, {}, { world, path: ['bitcoin', 'coins'] });
  expect(s.find('coin-0-guarded').textContent).toBe('This coin holds assets.');
  expect(s.maybe('coin-0-freeze')).toBeNull();
  expect(s.find('coin-0').querySelector<HTMLInputElement>('input[type=checkbox]')?.disabled).toBe(true);
  await s.close();
});
