// Staking on screen: what is planned, what one confirmation signs, and what can be done with a stake.
import { expect, test } from 'vitest';
import App from '$/shell/App.svelte';
import { stakeEn } from '$/words/stake.en';
import { stakeZhHans } from '$/words/stake.zh-Hans';
import { stakeZhHant } from '$/words/stake.zh-Hant';
import { stage } from './stage';

test('a stake is planned with a provider that votes, and its four signatures are explained before', async () => {
  const s = await stage(App, {}, { path: ['staking'] });
  const select = s.find('stake-provider') as HTMLSelectElement;
  expect([...select.options].map((o) => o.textContent)).not.toContainEqual(expect.stringContaining('Cedar'));
  expect(s.find('stake-providers').textContent).toContain(stakeEn['stake.slashed']);
  expect(s.find('stake-signs').querySelectorAll('li')).toHaveLength(4);
  expect(s.find('stake-signs').textContent?.match(/Not broadcast now/g)).toHaveLength(2);
  expect(s.find('stake-plan').getAttribute('aria-disabled')).toBe('true');
  select.value = select.options[1]!.value;
  select.dispatchEvent(new Event('change', { bubbles: true }));
  await s.type('stake-blocks', '1000');
  await s.type('stake-amount', '0.0001');
  await s.click('stake-plan');
  expect(s.find('failure').dataset.code).toBe('stake-amount');
  await s.type('stake-amount', '0.001');
  await s.click('stake-plan');
  expect(s.world.asked.confirm).toHaveLength(1);
  await s.close();
});

test('each stake offers what its state allows', async () => {
  const s = await stage(App, {}, { path: ['staking'] });
  expect(s.find('stake-9002').dataset.state).toBe('active');
  expect(s.maybe('stake-9002-withdraw')).toBeNull();
  await s.click('stake-9002-unbond');
  expect(s.maybe('stake-9001-unbond')).toBeNull();
  await s.click('stake-9001-withdraw');
  expect(s.world.asked.confirm).toHaveLength(2);
  await s.close();
});

test('no words promise a yield', () => {
  for (const words of [stakeEn, stakeZhHans, stakeZhHant]) {
    for (const text of Object.values(words)) expect(text).not.toMatch(/\b(?:APR|APY|yield|profit|return on|earn)\b|收益|年化|利息|利率|賺/i);
  }
});
