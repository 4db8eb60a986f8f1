// What a person does, from the first click to the last, in the world in memory.
import { describe, expect, test, vi } from 'vitest';
import Confirm from '$/features/confirm/Confirm.svelte';
import { HBR27 } from '$/ipc/mock/assets';
import { World } from '$/ipc/mock/world';
import { run } from '$/ipc/query.svelte';
import App from '$/shell/App.svelte';
import { stage, type Stage } from './stage';

/** Opens the confirm window in the same world and holds the button long enough. */
async function sign(s: Stage, first?: () => Promise<void>): Promise<void> {
  const { mount, unmount } = await import('svelte');
  const root = document.createElement('div');
  document.body.append(root);
  const confirm = mount(Confirm, { target: root, props: { draft: s.world.asked.confirm.at(-1)! } });
  await s.settle();
  await first?.();
  const frames: FrameRequestCallback[] = [];
  const frame = vi.spyOn(globalThis, 'requestAnimationFrame').mockImplementation((f) => frames.push(f));
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  s.find('confirm-hold').dispatchEvent(new PointerEvent('pointerdown', { button: 0, bubbles: true }));
  clock.mockReturnValue(1_300);
  for (let i = 0; i < 10 && frames.length > 0; i += 1) frames.shift()!(0);
  frame.mockRestore();
  clock.mockRestore();
  await s.settle();
  await unmount(confirm);
  root.remove();
  for (let i = 0; i < 3; i += 1) await s.settle();
}

test('a person starts in the sandbox, takes coins, moves them across and sees every step', async () => {
  const s = await stage(App, {}, { scenario: 'fresh' });
  await s.click('onboarding-sandbox-start');
  s.find('app');
  await s.click('banner-fund');
  await s.click('banner-mine');
  expect(s.find('amount-bitcoin').dataset.atoms).toBe('50000000');
  s.find('nav-bridge').click();
  location.hash = '#/bridge';
  dispatchEvent(new HashChangeEvent('hashchange'));
  await s.settle();
  await s.click('pegin-start');
  await s.type('pegin-amount', '0.25');
  await s.click('pegin-review');
  expect(s.world.asked.confirm).toHaveLength(1);
  s.find('draft-1');
  await sign(s);
  expect(s.maybe('draft-1')).toBeNull();
  const operation = s.world.state.operations[0]!;
  expect(operation.kind).toBe('peg-in');
  const state = () => s.find(`crossing-${operation.operation}-state`).dataset;
  expect(state().status).toBe('running');
  for (let block = 0; block < 12; block += 1) await s.click('banner-mine');
  expect(state().step).not.toBe('depth');
  for (let i = 0; i < 3; i += 1) s.world.mine('sidechain', 2);
  await s.settle();
  await s.click('bridge-finished');
  expect(state().status).toBe('done');
  await s.close();
});

test('a setting that is changed while another is written undoes nothing', async () => {
  const s = await stage(App, {}, { path: ['settings'] });
  const language = s.find('settings-language') as HTMLSelectElement;
  language.value = 'zh-Hant';
  language.dispatchEvent(new Event('change', { bubbles: true }));
  s.find('settings-theme-dark').click();
  s.find('settings-hide').click();
  await s.settle();
  expect(s.world.state.settings).toMatchObject({ language: 'zh-Hant', theme: 'dark', hide_amounts: true });
  expect([document.documentElement.lang, document.documentElement.dataset.theme]).toEqual(['zh-Hant', 'dark']);
  await s.close();
});

test('what others have paid and no block holds is told apart from what can be spent', async () => {
  const s = await stage(App, {}, { path: ['bitcoin', 'send'] });
  const hint = 'of 1.25450622 BTC available; 0.03 BTC more is unconfirmed or held by a draft';
  expect(s.text()).toContain(hint);
  await s.close();
  const peg = await stage(App, {}, { path: ['bridge', 'in'] });
  expect(peg.text()).toContain(hint);
  await peg.type('pegin-amount', '1.26');
  await peg.click('pegin-review');
  expect(peg.find('failure').dataset.code).toBe('insufficient-funds');
  await peg.close();
});

test('the same news again is one toast that counts', async () => {
  const s = await stage(App, {}, {});
  for (let i = 0; i < 3; i += 1) await s.click('banner-mine');
  expect(s.find('toasts').querySelectorAll('.toast')).toHaveLength(1);
  expect(s.find('toast-times').textContent).toBe('3 times');
  await s.click('toast-close');
  expect(s.find('toasts').querySelectorAll('.toast')).toHaveLength(0);
  await s.close();
});

test('a wallet that is minutes old fills its chart; an old one offers spans that it has lived', async () => {
  const layout = vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(640);
  const young = await stage(App, {}, { scenario: 'fresh' });
  await young.click('onboarding-sandbox-start');
  await young.click('banner-fund');
  await young.click('banner-mine');
  expect(young.maybe('range-all')).toBeNull();
  const line = document.querySelector('.chart .top')!.getAttribute('d')!;
  const across = [...line.matchAll(/[ML]([\d.]+) /g)].map((m) => Number(m[1]));
  // The first coin stands near the left edge and its level runs to the right one.
  expect(across[0]).toBeLessThan(640 / 5);
  expect(across.at(-1)).toBe(640 - 2);
  await young.close();
  layout.mockRestore();
  const old = await stage(App, {}, {});
  expect(old.find('range-all').getAttribute('aria-checked')).toBe('false');
  expect(old.find('range-month').getAttribute('aria-checked')).toBe('true');
  await old.click('range-week');
  expect(old.find('range-week').getAttribute('aria-checked')).toBe('true');
  await old.close();
});

test('sending asks for what is missing, refuses what cannot be, and signs what was reviewed', async () => {
  const s = await stage(App, {}, { path: ['sidechain', 'send'] });
  expect(s.find('send-review').getAttribute('aria-disabled')).toBe('true');
  await s.type('send-recipient-0', 'bcrt1qtdk5tnw55qdaxe900hgpuf02j09un722q52l95xrjwgu9zz');
  expect(s.find('recipient-says').textContent).toContain('A Bitcoin address');
  const to = s.world.state.history[0]!.counterparty;
  await s.type('send-recipient-0', to);
  expect(s.find('recipient-says').textContent).toContain('Confidential sidechain address. Paid 3 times before.');
  await s.type('send-amount-0', '0.123456789');
  expect(s.find('failure').dataset.code).toBe('bad-amount');
  await s.type('send-amount-0', '900');
  await s.click('send-review');
  expect(s.find('failure').dataset.code).toBe('insufficient-funds');
  await s.type('send-amount-0', '0.125');
  await s.click('send-review');
  expect(s.maybe('failure')).toBeNull();
  const before = s.world.state.operations.length;
  await sign(s);
  expect(s.world.state.operations).toHaveLength(before + 1);
  expect(s.world.state.operations[0]!.amount).toEqual({ asset: expect.objectContaining({ ticker: 'L-BTC' }), amount: '12500000' });
  expect(s.find('toasts').textContent).toContain('Signed and sent: Send 0.125 L-BTC.');
  await s.close();
});

test('many recipients, each with an asset of its own, make one draft', async () => {
  const s = await stage(App, {}, { path: ['sidechain', 'send'] });
  const to = s.world.state.history[0]!.counterparty;
  await s.type('send-recipient-0', to);
  await s.type('send-amount-0', '0.01');
  await s.click('send-add');
  await s.type('send-recipient-1', to);
  const select = s.find('send-asset-1') as HTMLSelectElement;
  select.value = HBR27.id;
  select.dispatchEvent(new Event('change', { bubbles: true }));
  await s.type('send-amount-1', '12.5');
  const invoke = vi.spyOn(s.world, 'invoke');
  await s.click('send-review');
  const plan = invoke.mock.calls.find(([name]) => name === 'send_plan')![1] as { recipients: unknown };
  expect(plan.recipients).toEqual([{ address: to, amount: '1000000', asset: null }, { address: to, amount: '1250', asset: HBR27.id }]);
  await s.close();
});

test('letting go early signs nothing', async () => {
  const world = new World('full');
  const { draft } = await world.invoke('peg_in_plan', { amount: '2500000', drain: false, fee_rate: null, coins: null });
  const s = await stage(Confirm, { draft }, { world });
  const hold = s.find('confirm-hold');
  hold.dispatchEvent(new KeyboardEvent('keydown', { key: ' ', bubbles: true, cancelable: true }));
  hold.dispatchEvent(new KeyboardEvent('keyup', { key: ' ', bubbles: true }));
  hold.click();
  await s.settle();
  expect(world.asked.closed).toBe(0);
  expect((await world.invoke('draft_review', { draft })).draft).toBe(draft);
  await s.click('confirm-cancel');
  expect(world.asked.closed).toBe(1);
  await s.close();
});

test('a locked wallet is unlocked in the confirm window before it signs', async () => {
  const world = new World('locked');
  const { draft } = await world.invoke('peg_in_plan', { amount: '2500000', drain: false, fee_rate: null, coins: null });
  const s = await stage(Confirm, { draft }, { world });
  expect(s.maybe('confirm-hold')).toBeNull();
  await s.type('confirm-password', 'wrong');
  await s.click('confirm-unlock');
  expect(s.find('confirm-failure').dataset.code).toBe('wrong-password');
  await s.type('confirm-password', 'harbour');
  await s.click('confirm-unlock');
  s.find('confirm-hold');
  await s.close();
});

test('an issuer creates an asset, issues more, redeems some, and sees the supply follow', async () => {
  const s = await stage(App, {}, { path: ['assets', 'issue'] });
  await s.type('issue-amount', '1000');
  await s.click('issue-next');
  await s.type('issue-ticker', 'T!');
  await s.type('issue-name', 'Tide');
  await s.type('issue-domain', 'tide.example');
  expect(s.find('issue-next').getAttribute('aria-disabled')).toBe('true');
  await s.type('issue-ticker', 'TIDE');
  await s.click('issue-next');
  await s.click('issue-next');
  s.find('issue-review');
  await s.click('issue-sign');
  await sign(s);
  expect(s.find('asset-supply').dataset.atoms).toBe('100000');
  await s.click('asset-burn');
  await s.type('burn-amount', '250');
  await s.click('burn-review');
  await sign(s);
  expect(s.find('asset-supply').dataset.atoms).toBe('75000');
  expect(s.find('asset-burned').dataset.atoms).toBe('25000');
  await s.close();
});

test('wrong passwords wait longer, and the keyring opens where there is one', async () => {
  const s = await stage(App, {}, { scenario: 'locked' });
  await s.type('lock-password', 'wrong');
  await s.click('lock-unlock');
  expect(s.find('failure').dataset.code).toBe('wrong-password');
  expect(s.find('lock-unlock').textContent).toContain('Wait 2 s');
  expect(s.find('lock-unlock').getAttribute('aria-disabled')).toBe('true');
  s.find('lock-keyring');
  await s.close();
});

test('the words never come to this page: only their window is opened', async () => {
  const s = await stage(App, {}, { scenario: 'fresh' });
  const invoke = vi.spyOn(s.world, 'invoke');
  await s.click('onboarding-create');
  expect(s.world.asked.words).toEqual(['create']);
  expect(invoke.mock.calls.map(([name]) => name)).not.toEqual(expect.arrayContaining(['words_new']));
  await s.close();
});

test('hidden amounts are nowhere on the overview', async () => {
  const world = new World('full');
  world.state.settings.hide_amounts = true;
  const s = await stage(App, {}, { world });
  const main = document.querySelector('main')!.textContent!;
  expect(main).toContain('••••');
  expect(main).not.toMatch(/0\.25|1\.28|425,000/);
  expect(document.querySelector('[data-atoms]')).toBeNull();
  await s.close();
});

test('the palette finds and does, by keyboard', async () => {
  const s = await stage(App, {}, {});
  dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true, cancelable: true }));
  await s.settle();
  await s.type('palette-input', 'peg');
  s.find('palette-input').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }));
  await s.settle();
  expect(s.find('palette-peg-out').getAttribute('aria-selected')).toBe('true');
  s.find('palette-input').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
  await s.settle();
  expect(location.hash).toBe('#/bridge/out');
  dispatchEvent(new KeyboardEvent('keydown', { key: '8', ctrlKey: true, bubbles: true, cancelable: true }));
  await s.settle();
  expect(location.hash).toBe('#/settings');
  await s.close();
});

test('an asset or a pasted address is brought to the send page', async () => {
  const s = await stage(App, {}, { path: ['assets', HBR27.id] });
  await s.click('asset-send');
  expect((s.find('send-asset-0') as HTMLSelectElement).value).toBe(HBR27.id);
  location.hash = '#/overview';
  dispatchEvent(new HashChangeEvent('hashchange'));
  await s.settle();
  const to = s.world.state.history[0]!.counterparty;
  await s.click('palette-open');
  await s.type('palette-input', to);
  await s.click('palette-pay');
  expect((s.find('send-recipient-0') as HTMLTextAreaElement).value).toBe(to);
  expect(s.find('recipient-says').textContent).toContain('Paid 3 times before.');
  await s.close();
});

test('a wallet without keys checks a draft, sends it out, takes the signature back and sends', async () => {
  const world = new World('watch');
  const plan = { network: 'bitcoin' as const, recipients: [{ address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', amount: '50000', asset: null }], fee_rate: null, coins: null, drain: null, allow_explicit: false, label: 'harbour dues' };
  const { draft } = await world.invoke('send_plan', plan);
  const confirm = await stage(Confirm, { draft }, { world });
  confirm.find('confirm-no-keys');
  expect(confirm.maybe('confirm-hold')).toBeNull();
  await confirm.close();
  const s = await stage(App, {}, { world, path: ['activity'] });
  expect(s.find(`draft-${draft}`).textContent).toContain('harbour dues');
  await s.click('draft-export');
  await s.click('draft-bring');
  await s.type('import-text', 'cHNidP8 that lies');
  await s.click('import-read');
  expect(s.find('failure').dataset.code).toBe('draft-lies');
  await s.type('import-text', 'cHNidP8BAgQCAAAA');
  await s.click('import-read');
  expect(s.world.asked.confirm).toEqual([draft]);
  await sign(s);
  expect(s.maybe(`draft-${draft}`)).toBeNull();
  await s.close();
});

test('a signature can be given without sending', async () => {
  const s = await stage(App, {}, { path: ['activity'] });
  const { draft } = await run('peg_in_plan', { amount: '2500000', drain: false, fee_rate: null, coins: null });
  await s.settle();
  const operations = s.world.state.operations.length;
  await s.click('draft-open');
  await sign(s, () => s.click('confirm-sign-only'));
  expect(s.world.state.operations).toHaveLength(operations);
  expect(s.find(`draft-${draft}`).textContent).toContain('Signed, not sent yet');
  await s.close();
});

test('descriptors are shown with what they give away', async () => {
  const s = await stage(App, {}, { path: ['settings'] });
  await s.click('settings-descriptors');
  expect(s.find('descriptors-bitcoin').textContent).toContain("wpkh([73c5da0a/84'/1'/0']");
  expect(s.find('descriptors-sidechain').textContent).toContain('ct(slip77(');
  expect(s.find('descriptors-dialog').textContent).toContain('blinding key');
  await s.close();
});

test('a draft from elsewhere is read again before it is signed; what is no draft is refused', async () => {
  const s = await stage(App, {}, { path: ['activity'] });
  await s.click('draft-import');
  await s.type('import-text', 'hello');
  await s.click('import-read');
  expect(s.find('failure').dataset.code).toBe('bad-draft');
  await s.type('import-text', 'cHNldP8BAgQCAAAA');
  await s.click('import-read');
  expect(s.world.asked.confirm).toHaveLength(1);
  await s.click('draft-discard');
  expect(s.maybe('draft-discard')).toBeNull();
  await s.close();
});

describe('a history of 100,000 transactions', () => {
  test('keeps few rows in the page, wherever it is scrolled', async () => {
    const s = await stage(App, {}, { scenario: 'many', path: ['activity'] });
    const list = s.find('history');
    expect(list.querySelectorAll('.vrow').length).toBeLessThan(60);
    expect(list.querySelector<HTMLElement>('.vlist-all')!.style.height).toBe('3600000px');
    for (const top of [36 * 900, 36 * 4_000]) {
      list.scrollTop = top;
      list.dispatchEvent(new Event('scroll'));
      await new Promise((done) => setTimeout(done, 60));
      await s.settle();
      expect(list.querySelectorAll('.vrow').length).toBeLessThan(60);
      // This page has no height: only the rows beyond its edges are there.
      expect(list.querySelectorAll('a.txrow').length).toBeGreaterThan(5);
    }
    // Whoever presses Enter now must not open another transaction than the one that was chosen.
    list.querySelector<HTMLElement>('a.txrow')!.focus();
    expect(list.contains(document.activeElement)).toBe(true);
    list.scrollTop = 36 * 2_000;
    list.dispatchEvent(new Event('scroll'));
    await expect.poll(() => list.contains(document.activeElement), { timeout: 15_000 }).toBe(false);
    await s.close();
  });

  test('is searched by the host, not in the page', async () => {
    const s = await stage(App, {}, { scenario: 'many', path: ['activity'] });
    const invoke = vi.spyOn(s.world, 'invoke');
    await s.type('search', 'Tidewater');
    await new Promise((done) => setTimeout(done, 200));
    await s.settle();
    expect(invoke.mock.calls.some(([name, request]) => name === 'history' && (request as { search: string }).search === 'Tidewater')).toBe(true);
    expect(s.find('history').querySelectorAll('a.txrow')).toHaveLength(1);
    await s.close();
  });
});

test('a release tells which file it vouches for, and no other file passes', async () => {
  const s = await stage(App, {}, { path: ['settings'] });
  s.world.chosenFile = 'no release';
  await s.click('update-open');
  expect(s.find('failure').dataset.code).toBe('bad-release');
  s.world.chosenFile = '{}';
  await s.click('update-open');
  expect(s.maybe('failure')).toBeNull();
  expect(s.find('update-verdict').textContent).toContain('0.2.0');
  expect(s.find('update-hash').textContent).toMatch(/^[0-9a-f]{64}$/);
  const choose = async (bytes: number[]) => {
    const input = s.find('update-file') as HTMLInputElement;
    const file = { name: 'causeway.deb', size: bytes.length, arrayBuffer: async () => new Uint8Array(bytes).buffer };
    Object.defineProperty(input, 'files', { value: [file], configurable: true });
    input.dispatchEvent(new Event('change', { bubbles: true }));
    for (let i = 0; i < 50 && !s.maybe('update-verified') && !s.maybe('failure'); i += 1) await new Promise((done) => setTimeout(done, 10));
  };
  await choose([9, 9, 9]);
  expect(s.find('failure').dataset.code).toBe('release-file');
  await s.click('update-open');
  await choose([1, 2, 3]);
  expect(s.find('update-verified').textContent).toContain('is the file that was signed');
  await s.close();
});
