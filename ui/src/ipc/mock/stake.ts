// Staking in the world in memory. Everything here is invented.
import type { Commands, DraftView, FinalityProvider, StakeView } from '../bindings';
import type { Request } from '../host';
import { BTC, hex } from './assets';
import { refuse, type World } from './world';

type Part = 'staking' | 'stakes' | 'stake_plan' | 'stake_unbond_plan' | 'stake_withdraw_plan' | 'stake_exit';
type Handlers = { [C in Part]: (request: Request<C>) => Commands[C]['answer'] };

const provider = (seed: string, moniker: string, commission: number, power: string, more: Partial<FinalityProvider> = {}): FinalityProvider => ({
  key: seed.repeat(32), moniker, commission, power, slashed: false, jailed: false, missed: 0, known: 'reported', ...more,
});
const PROVIDERS = [provider('a1', 'Alder', 300, '420000000'), provider('b2', 'Birch', 500, '115000000', { missed: 3 }), provider('c3', 'Cedar', 1_000, '0', { slashed: true })];
const KEPT = (world: World): boolean => world.scenario === 'full' || world.scenario === 'long';

export class StakesOfMock {
  private list: StakeView[] | null = null;

  constructor(private readonly world: World) {}

  private stakes(): StakeView[] {
    if (this.list) return this.list;
    const tip = this.world.state.height.bitcoin;
    const line = (heights: [StakeView['milestones'][number]['event'], number | null, boolean][]): StakeView['milestones'] =>
      heights.map(([event, height, reached]) => ({ event, height, reached, time: reached || height === null ? null : this.world.now + (height - tip) * 600 }));
    const stake = (operation: number, state: StakeView['state'], milestones: StakeView['milestones'], more: Partial<StakeView>): StakeView => ({
      operation, moniker: 'Alder', provider: 'a1'.repeat(32), amount: { asset: BTC, amount: '5000000' }, blocks: 1_000, state, milestones,
      txid: hex(this.world.state.roll), unlocks: null, can_unbond: false, can_withdraw: false, can_stop: false, why: null, ...more,
    });
    this.list = KEPT(this.world)
      ? [
          stake(9_002, 'active', line([['registered', null, true], ['verified', null, true], ['staked', tip - 40, true], ['activated', tip - 37, true], ['expired', tip + 955, false], ['withdrawable', tip + 960, false], ['withdrawn', null, false]]), { unlocks: tip + 960, can_unbond: true }),
          stake(9_001, 'withdrawable', line([['registered', null, true], ['verified', null, true], ['staked', tip - 90, true], ['unbonded', tip - 12, true], ['withdrawable', tip - 7, true], ['withdrawn', null, false]]), { can_withdraw: true }),
        ]
      : [];
    return this.list;
  }

  private plan(amount: string, rate: number | null): DraftView {
    return this.world.drafts.send({
      network: 'bitcoin', recipients: [{ address: 'bcrt1p9rv4ycyyl3lk7w7cvq3xh5xhn5h0kg4m3ykkt0n8pzx8sf2hzmlsyq9w5y', amount, asset: null }], fee_rate: rate, coins: null, drain: null, allow_explicit: false, label: '',
    });
  }

  private find(operation: number): StakeView {
    const found = this.stakes().find((s) => s.operation === operation);
    if (!found) throw refuse('not-found', { what: 'operation' });
    return found;
  }

  readonly handlers: Handlers = {
    staking: () => ({
      offered: true, chain: 'causeway-plane', height: 48_211, trouble: null, providers: PROVIDERS,
      terms: { version: 0, least: '50000', most: '1000000000', shortest: 10, longest: 10_000, unbonding_time: 5, unbonding_fee: '1000', slashing_share: 1_000, slashing_fee: '2000', quorum: 3, members: 5, depth: 3 },
      account: { address: 'bbn1qpzry9x8gf2tvdw0s3jn54khce6mua7lz4v9qh', denom: 'ubbn', balance: '99998000', rewards: '120400', withdrawn: '0', known: 'reported' },
    }),
    stakes: () => this.stakes(),
    stake_plan: ({ amount, fee_rate }) => {
      if (BigInt(amount) < 50_000n) throw refuse('stake-amount', { least: '50000', most: '1000000000' });
      return { ...this.plan(amount, fee_rate), kind: 'stake' };
    },
    stake_unbond_plan: ({ operation }) => ({ ...this.plan(this.find(operation).amount.amount, null), kind: 'unbond' }),
    stake_withdraw_plan: ({ operation, fee_rate }) => ({ ...this.plan(this.find(operation).amount.amount, fee_rate), kind: 'withdraw' }),
    stake_exit: ({ operation }) => ({ name: `stake-${this.find(operation).txid.slice(0, 8)}.json`, text: '{}' }),
  };
}
