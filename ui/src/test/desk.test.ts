// The issuer's desk, as a person uses it.
import { expect, test } from 'vitest';
import Confirm from '$/features/confirm/Confirm.svelte';
import { FAKE, HBR27, address, dice } from '$/ipc/mock/assets';
import App from '$/shell/App.svelte';
import { stage, type Stage } from './stage';

const roll = dice(11);
const to = (n: number) => Array.from({ length: n }, () => address(roll, 'sidechain'));

async function hold(s: Stage): Promise<void> {
  const draft = s.world.asked.confirm.at(-1)!;
  const confirm = await stage(Confirm, { draft }, { world: s.world });
  const review = await s.world.invoke('draft_review', { draft });
  await s.world.invoke('draft_sign', { draft, summary_hash: review.summary_hash });
  await confirm.close();
  await s.settle();
}

test('a list is read, its mistakes are named, and it is signed once for all', async () => {
  const s = await stage(App, {}, { path: ['assets', HBR27.id, 'distribute'] });
  const [a, b] = to(2);
  await s.type('dist-list', `address,amount\n${a},1.005\n${b},2\n${b},3\n=1+1,4`);
  await s.click('dist-read');
  const faults = document.body.textContent!;
  expect(faults).toContain('more than 2 decimal places');
  expect(faults).toContain('that of row 3');
  expect(faults).toContain('like a formula');
  expect(s.maybe('dist-sign')).toBeNull();
  await s.type('dist-list', to(160).map((address) => `${address},1.25`).join('\n'));
  await s.click('dist-read');
  expect(s.find('dist-rows').textContent).toBe('160');
  expect(s.find('dist-total').dataset.atoms).toBe('20000');
  expect(s.find('dist-preview').textContent).toContain('3, one in each block');
  await s.click('dist-sign');
  const confirm = await stage(Confirm, { draft: s.world.asked.confirm.at(-1)! }, { world: s.world });
  expect(document.querySelectorAll('[data-testid^="confirm-leaves-"]')).toHaveLength(60);
  await confirm.click('confirm-rest');
  expect(document.querySelectorAll('[data-testid^="confirm-leaves-"]')).toHaveLength(160);
  expect(confirm.maybe('confirm-sign-only')).toBeNull();
  await confirm.close();
  await hold(s);
  await s.close();
  const again = await stage(App, {}, { world: s.world, path: ['assets', HBR27.id, 'distribute'] });
  const operation = s.world.state.operations[0]!.operation;
  expect(again.find(`dist-${operation}-rows`).dataset.paid).toBe('160');
  await again.click(`dist-${operation}-report`);
  expect(s.world.asked.saved.at(-1)).toBe(`causeway-distribution-${operation}.csv`);
  await again.close();
});

test('a holder is named and frozen, and a list that pays him is refused', async () => {
  const s = await stage(App, {}, { path: ['assets', HBR27.id, 'holders'] });
  const [holder] = to(1);
  await s.click('holders-add');
  await s.type('holder-address', holder!);
  await s.type('holder-name', 'Quay & Sons');
  await s.click('holder-save');
  const row = [...document.querySelectorAll<HTMLElement>('[data-testid^="holder-"][data-frozen]')].find((r) => r.textContent!.includes('Quay & Sons'))!;
  await s.click(`${row.dataset.testid}-freeze`);
  expect(document.querySelector('[data-frozen="true"]')!.textContent).toContain('Quay & Sons');
  await s.click('asset-part-distribute');
  await s.type('dist-list', `${holder},1`);
  await s.click('dist-read');
  expect(s.find('dist-faults')).toBeTruthy();
  expect(document.body.textContent).toContain('You have frozen this holder');
  await s.close();
});

test('what a holder gives back is burned or returned, and a new request has an address of its own', async () => {
  let s = await stage(App, {}, { path: ['assets', HBR27.id, 'redeem'] });
  const sign = async () => {
    await hold(s);
    await s.close();
    s = await stage(App, {}, { world: s.world, path: ['assets', HBR27.id, 'redeem'] });
  };
  await s.click('redemption-1-accept');
  await sign();
  expect(s.find('redemption-1-0').dataset.state).toBe('accepted');
  expect(s.find('redemption-2-1').dataset.state).toBe('open');
  expect(s.find('redemption-2-accept').getAttribute('aria-disabled')).toBe('true');
  await s.click('redemption-2-return');
  expect((s.find('return-to') as HTMLInputElement).value).toMatch(/^el1/);
  await s.click('return-review');
  await sign();
  await s.click('redeem-new');
  await s.type('redeem-reference', 'R-18');
  await s.click('redeem-make');
  expect(s.find('redeem-address').textContent).toMatch(/^el1/);
  await s.click('dialog-close');
  await s.click('redeem-ledger');
  expect(s.world.asked.saved.at(-1)).toMatch(/redemptions/);
  await s.close();
});

test('each change of the supply has a proof as a file and as a link, and the token is handed over or burned', async () => {
  const s = await stage(App, {}, { path: ['assets', HBR27.id] });
  await s.click('supply-1-prove');
  expect(s.world.asked.saved.at(-1)).toMatch(/^causeway-proof-/);
  await s.click('supply-2-link');
  expect(s.world.asked.copied.at(-1)).toMatch(/^causeway-proof:/);
  expect(s.find('asset-token').dataset.held).toBe('usable');
  await s.click('asset-token-send');
  expect(location.hash).toBe('#/sidechain/send');
  await s.close();
});

test('a registry is asked, a look-alike is flagged, and an asset is registered once', async () => {
  const s = await stage(App, {}, { path: ['assets', HBR27.id, 'registry'] });
  await s.click('reg-look');
  s.find('reg-none');
  await s.click('reg-publish');
  expect(s.find('reg-claim').textContent).toContain('harbour-bonds.example');
  s.find('reg-taken');
  await s.click('reg-publish');
  expect(s.find('failure').dataset.code).toBe('registry-refused');
  await s.close();
  const fake = await stage(App, {}, { world: s.world, path: ['assets', FAKE.id, 'registry'] });
  await fake.click('reg-look');
  fake.find('reg-look-alike');
  await fake.close();
});

test('a coin is offered, the offer is checked by whoever gets it, and it can be cancelled', async () => {
  const s = await stage(App, {}, { path: ['assets', 'swap'] });
  const select = s.find('swap-coin') as HTMLSelectElement;
  select.value = select.options[1]!.value;
  select.dispatchEvent(new Event('change', { bubbles: true }));
  await s.settle();
  await s.type('swap-wanted', HBR27.id);
  await s.type('swap-amount', '12.50');
  await s.click('swap-offer');
  const confirm = await stage(Confirm, { draft: s.world.asked.confirm.at(-1)! }, { world: s.world });
  expect(confirm.find('confirm-kind').textContent).toContain('Offer to swap');
  expect(confirm.maybe('confirm-sums')).toBeNull();
  expect(confirm.maybe('confirm-sign-only')).toBeNull();
  await confirm.close();
  await hold(s);
  await s.close();
  const again = await stage(App, {}, { world: s.world, path: ['assets', 'swap'] });
  const { operation, text } = s.world.desk.offers[0]!;
  await again.click(`offer-${operation}-copy`);
  expect(s.world.asked.copied.at(-1)).toBe(text);
  await again.type('swap-text', `${text} lies`);
  await again.click('swap-inspect');
  expect(again.find('failure').dataset.code).toBe('draft-lies');
  await again.type('swap-text', text);
  await again.click('swap-inspect');
  expect(again.find('swap-pay').dataset.atoms).toBe('1250');
  expect(again.find('swap-take').getAttribute('aria-disabled')).toBe('true');
  await again.click(`offer-${operation}-cancel`);
  expect(s.world.asked.confirm.length).toBe(2);
  await again.close();
});
