// Plans, reviews and signatures of the world in memory.
import type {
  Atoms, AssetLabel, BumpPlan, BurnPlan, CoinView, DraftKind, DraftView, IssuePlan, NetworkId, OperationView, PegInPlan, PegOutPlan, ReissuePlan, Review,
  ReviewOutput, SendPlan, StepName, TransactionKind,
} from '../bindings';
import { BTC, LBTC, address, hex } from './assets';
import { coinOf, refuse, type World } from './world';

interface Draft {
  view: DraftView;
  review: Review;
  spend: CoinView[];
  back: CoinView[];
  kind: TransactionKind;
  steps: StepName[];
  amount: { asset: AssetLabel; amount: Atoms } | null;
  destination: string;
  label: string;
  after: () => void;
}

interface Out {
  asset: AssetLabel;
  amount: bigint;
  address: string;
  role: ReviewOutput['role'];
  label?: string;
}

export class Drafts {
  private readonly open = new Map<number, Draft>();
  private next = 1;
  /** Outpoints of coins that this wallet's own transactions made. */
  private readonly made = new Set<string>();

  constructor(private readonly world: World) {}

  /** Whether a plan may spend a coin unasked: not what others made and no block holds yet. */
  free(coin: CoinView): boolean {
    return !coin.frozen && !coin.reserved && coin.guarded === null && (coin.confirmations > 0 || this.made.has(coin.outpoint));
  }

  get(draft: number): Draft {
    const found = this.open.get(draft);
    if (!found) throw refuse('draft-expired');
    return found;
  }

  send(plan: SendPlan): DraftView {
    if (plan.recipients.length === 0) throw refuse('no-recipients');
    const own = coinOf(plan.network);
    const outs = plan.recipients.map((r, i): Out => {
      const sidechain = /^(el1|ert1)/.test(r.address);
      if (!sidechain && !/^bcrt1/.test(r.address)) throw refuse('bad-address');
      if (plan.network === 'sidechain' && !sidechain) throw refuse('bitcoin-address', { instead: 'peg-out' });
      if (plan.network === 'bitcoin' && sidechain) throw refuse('sidechain-address', { instead: 'peg-in' });
      if (r.address.startsWith('ert1') && !plan.allow_explicit) throw refuse('explicit-address');
      const asset = r.asset === null ? own : this.world.asset(r.asset);
      const amount = plan.drain === i ? 0n : BigInt(r.amount);
      if (plan.drain !== i && amount <= 0n) throw refuse('bad-amount', { precision: String(asset.precision) });
      if (plan.drain !== i && asset.id === own.id && amount < 546n && plan.network === 'bitcoin') throw refuse('dust', { least: '546' });
      const label = this.world.state.history.find((h) => h.counterparty === r.address)?.label ?? '';
      return { asset, amount, address: r.address, role: 'foreign', label };
    });
    return this.make('send', plan.network, outs, 'sent', ['signed', 'broadcast', 'confirmed', 'final'], plan.fee_rate, plan.coins, plan.drain, plan.label);
  }

  bump({ txid, fee_rate, child }: BumpPlan): DraftView {
    const row = this.world.state.history.find((r) => r.txid === txid);
    if (!row || (row.confirmations > 0 && !child)) throw refuse('not-replaceable');
    const outs = row.moved.filter((m) => m.out).map((m): Out => ({ asset: m.asset, amount: BigInt(m.amount), address: row.counterparty, role: 'foreign' }));
    const view = this.make('bump', row.network, outs, 'sent', ['signed', 'broadcast', 'confirmed'], fee_rate, null, null, row.label);
    return { ...view, replaces_fee: child ? null : row.fee };
  }

  pegIn({ amount, drain, fee_rate, coins }: PegInPlan): DraftView {
    const bridge = this.world.scenario === 'halted';
    if (bridge) throw refuse('halted', { network: 'sidechain' });
    const out: Out = { asset: BTC, amount: BigInt(amount), address: address(this.world.state.roll, 'bitcoin'), role: 'peg' };
    if (!drain && out.amount <= 0n) throw refuse('bad-amount', { precision: '8' });
    return this.make('peg-in', 'bitcoin', [out], 'peg-in-deposit', ['signed', 'broadcast', 'funded', 'depth', 'claimed', 'spendable'], fee_rate, coins, drain ? 0 : null, '');
  }

  pegOut({ amount, drain, destination, fee_rate }: PegOutPlan): DraftView {
    if (this.world.scenario === 'paused') throw refuse('peg-paused', { why: 'evidence' });
    const to = destination ?? address(this.world.state.roll, 'bitcoin');
    const out: Out = { asset: LBTC, amount: BigInt(amount), address: to, role: 'peg' };
    if (!drain && out.amount <= 0n) throw refuse('bad-amount', { precision: '8' });
    return this.make('peg-out', 'sidechain', [out], 'peg-out', ['signed', 'broadcast', 'burned', 'paid-on-bitcoin', 'final'], fee_rate, null, drain ? 0 : null, '');
  }

  issue(plan: IssuePlan): DraftView {
    if (!/^[a-zA-Z0-9.-]{3,24}$/.test(plan.ticker)) throw refuse('bad-contract', { field: 'ticker' });
    if (plan.name === '') throw refuse('bad-contract', { field: 'name' });
    const id = hex(this.world.state.roll);
    const asset: AssetLabel = { id, ticker: plan.ticker, name: plan.name, precision: plan.precision, named: true };
    const view = this.make('issue', 'sidechain', [], 'issued', ['signed', 'broadcast', 'confirmed', 'final'], plan.fee_rate, null, null, '');
    const draft = this.get(view.draft);
    draft.amount = { asset, amount: plan.amount };
    this.create(draft, asset, plan.amount, plan.reissuable ? { ...asset, id: hex(this.world.state.roll), ticker: '', name: '', precision: 0, named: false } : null);
    draft.review.others_see = plan.blinded ? 'fee-and-scripts' : 'some';
    draft.after = () => {
      this.world.assets.push(asset);
      this.world.state.issued.add(id);
      this.world.state.supply[id] = [{ time: this.world.now, height: this.world.state.height.sidechain, event: 'issue', amount: plan.amount, after: plan.amount, txid: hex(this.world.state.roll) }];
      this.gain(asset, BigInt(plan.amount));
    };
    view.asset = id;
    view.domain_proof = plan.domain ? `Authorize linking the domain name ${plan.domain} to the Liquid asset ${id}` : '';
    return view;
  }

  reissue(plan: ReissuePlan): DraftView {
    if (plan.asset === '') throw refuse('no-token');
    const asset = this.world.asset(plan.asset);
    if (!this.world.state.issued.has(asset.id)) throw refuse('no-token');
    const view = this.make('reissue', 'sidechain', [], 'reissued', ['signed', 'broadcast', 'confirmed', 'final'], plan.fee_rate, null, null, '');
    const draft = this.get(view.draft);
    draft.amount = { asset, amount: plan.amount };
    this.create(draft, asset, plan.amount, null);
    draft.after = () => this.supply(asset, 'reissue', BigInt(plan.amount));
    view.asset = asset.id;
    return view;
  }

  burn(plan: BurnPlan): DraftView {
    const asset = this.world.asset(plan.asset);
    const amount = BigInt(plan.amount);
    if (amount <= 0n) throw refuse('bad-amount', { precision: String(asset.precision) });
    const view = this.make('burn', 'sidechain', [{ asset, amount, address: '', role: 'burn' }], 'burned', ['signed', 'broadcast', 'confirmed', 'final'], plan.fee_rate, null, null, plan.label);
    const draft = this.get(view.draft);
    draft.review.destroys = [{ asset, amount: plan.amount }];
    draft.after = () => this.supply(asset, 'burn', amount);
    view.asset = asset.id;
    return view;
  }

  /** A coin for something else; nothing is spent before somebody takes it. */
  offer(gives: { asset: AssetLabel; amount: Atoms }, gets: { asset: AssetLabel; amount: Atoms }, after: (operation: number) => void): DraftView {
    const view = this.make('offer', 'sidechain', [{ asset: gives.asset, amount: BigInt(gives.amount), address: '', role: 'foreign' }], 'sent', ['signed', 'taken', 'final'], null, null, null, '');
    const draft = this.get(view.draft);
    for (const coin of draft.spend) coin.reserved = false;
    Object.assign(draft, { spend: [], back: [] });
    Object.assign(draft.review, {
      fee: '0', fee_share: null, coins: 1, spends: [gives],
      comes_back: [{ address: address(this.world.state.roll, 'sidechain'), asset: gets.asset, amount: gets.amount, label: '', role: 'ours', blinded: true, false_claim: false }],
    });
    draft.after = () => after(this.world.state.operations[0]!.operation);
    return view;
  }

  /** Takes an offer: pays what it asks for. */
  take(asset: AssetLabel, amount: bigint): DraftView {
    return this.make('swap', 'sidechain', [{ asset, amount, address: address(this.world.state.roll, 'sidechain'), role: 'foreign' }], 'sent', ['signed', 'broadcast', 'confirmed', 'final'], null, null, null, '');
  }

  /** What a holder gave back: burned, or returned to `to`. */
  redeem(asset: AssetLabel, amount: bigint, to: string | null, label: string, after: () => void): DraftView {
    const steps: StepName[] = ['signed', 'broadcast', 'confirmed', 'final'];
    const view = to === null
      ? this.make('burn', 'sidechain', [{ asset, amount, address: '', role: 'burn' }], 'burned', steps, null, null, null, label)
      : this.make('send', 'sidechain', [{ asset, amount, address: to, role: 'foreign' }], 'sent', steps, null, null, null, label);
    const draft = this.get(view.draft);
    if (to === null) draft.review.destroys = [{ asset, amount: amount.toString() }];
    draft.after = after;
    return view;
  }

  /** One asset to many; `after` hears the number of the operation. */
  distribute(asset: AssetLabel, rows: { address: string; amount: bigint }[], label: string, after: (operation: number) => void): DraftView {
    const outs = rows.map((r): Out => ({ asset, amount: r.amount, address: r.address, role: 'foreign' }));
    const view = this.make('distribute', 'sidechain', outs, 'sent', ['signed', 'distributed', 'final'], null, null, null, label);
    const draft = this.get(view.draft);
    draft.amount = { asset, amount: rows.reduce((sum, r) => sum + r.amount, 0n).toString() };
    draft.after = () => after(this.world.state.operations[0]!.operation);
    return view;
  }

  import(text: string): DraftView {
    const network: NetworkId | null = text.startsWith('cHNidP') ? 'bitcoin' : text.startsWith('cHNldP') ? 'sidechain' : null;
    if (!network) throw refuse('bad-draft');
    const out: Out = { asset: coinOf(network), amount: 1_500_000n, address: address(this.world.state.roll, network), role: 'foreign' };
    return this.make('send', network, [out], 'sent', ['signed', 'broadcast', 'confirmed'], null, null, null, '');
  }

  list(): DraftView[] {
    return [...this.open.values()].map(({ view }) => ({ ...view }));
  }

  export(draft: number): { name: string; text: string } {
    const { view } = this.get(draft);
    view.exported = true;
    this.world.notify(['drafts']);
    return { name: `draft-${draft}.${view.network === 'bitcoin' ? 'psbt' : 'pset'}`, text: view.network === 'bitcoin' ? 'cHNidP8BAgQCAAAA' : 'cHNldP8BAgQCAAAA' };
  }

  /** Signatures from elsewhere. */
  bring(text: string, draft: number): DraftView {
    const { view } = this.get(draft);
    if (!text.startsWith(view.network === 'bitcoin' ? 'cHNidP' : 'cHNldP')) throw refuse('bad-draft');
    if (text.includes('lies')) throw refuse('draft-lies', { why: 'transaction' });
    view.signed = true;
    this.world.notify(['drafts']);
    return { ...view };
  }

  signOnly(draft: number, summary: string): DraftView {
    const found = this.get(draft);
    if (!this.world.state.unlocked) throw refuse('locked');
    if (summary !== found.review.summary_hash) throw refuse('review-mismatch');
    found.view.signed = true;
    this.world.notify(['drafts']);
    return { ...found.view };
  }

  review(draft: number): Review {
    const found = this.get(draft);
    const { signed } = found.view;
    const watch_only = this.world.watchOnly();
    return { ...found.review, signed, watch_only, locked: !this.world.state.unlocked && !signed && !watch_only };
  }

  sign(draft: number, summary: string): OperationView {
    const found = this.get(draft);
    if (this.world.watchOnly() && !found.view.signed) throw refuse('watch-only');
    if (!this.world.state.unlocked && !found.view.signed) throw refuse('locked');
    if (summary !== found.review.summary_hash) throw refuse('review-mismatch');
    const { state, now } = this.world;
    this.open.delete(draft);
    const network = found.view.network;
    const spent = new Set(found.spend.map((c) => c.outpoint));
    const txid = hex(state.roll);
    const back = found.back.map((c, i) => ({ ...c, outpoint: `${txid}:${i + 1}` }));
    back.forEach((c) => this.made.add(c.outpoint));
    state.coins[network] = [...state.coins[network].filter((c) => !spent.has(c.outpoint)), ...back];
    const id = Math.max(0, ...state.operations.map((o) => o.operation)) + 1;
    const operation: OperationView = {
      operation: id, kind: found.view.kind, status: 'running', amount: found.amount,
      steps: found.steps.map((step, i) => ({ step, state: i === 0 ? 'done' : i === 1 ? 'current' : 'ahead', time: i === 0 ? now : null, height: null })),
      no_return: 0, done: 0, of: 1, counts: network, eta: network === 'bitcoin' ? 1_200 : 8, can: [], valid_until: found.view.kind === 'peg-in' ? 21_599 : null,
      address: found.destination, qr: [], bitcoin_txid: network === 'bitcoin' ? txid : null, sidechain_txid: network === 'sidechain' ? txid : null,
      arrives: found.amount?.amount ?? null, started: now, finished: null, why: null, label: found.label,
    };
    state.operations.unshift(operation);
    state.history.unshift({
      network, txid, kind: found.kind,
      moved: found.amount ? [{ asset: found.amount.asset, amount: found.amount.amount, out: !['issued', 'reissued'].includes(found.kind) }] : [],
      fee: found.view.fee, height: null, time: now, known: 'pending', confirmations: 0, depth: network === 'bitcoin' ? 6 : 2, label: found.label,
      counterparty: found.destination, operation: id,
    });
    found.after();
    this.world.notify(['drafts', 'operations', 'coins', 'balances', 'history', 'assets']);
    return operation;
  }

  discard(draft: number): void {
    for (const coin of this.get(draft).spend) coin.reserved = false;
    this.open.delete(draft);
    this.world.notify(['drafts', 'coins']);
  }

  /** What is created comes to this wallet. */
  private create(draft: Draft, asset: AssetLabel, amount: Atoms, token: AssetLabel | null): void {
    const made = [{ asset, amount }, ...(token ? [{ asset: { ...token, ticker: token.id.slice(0, 8) }, amount: '1' }] : [])];
    draft.review.creates = made;
    for (const { asset, amount } of made)
      draft.review.comes_back.push({ address: address(this.world.state.roll, 'sidechain'), asset, amount, label: '', role: 'issue', blinded: true, false_claim: false });
  }

  private gain(asset: AssetLabel, amount: bigint): void {
    const { state } = this.world;
    const outpoint = `${hex(state.roll)}:0`;
    this.made.add(outpoint);
    state.coins.sidechain.push({
      outpoint, asset, amount: amount.toString(), address: address(state.roll, 'sidechain'), height: null, confirmations: 0, known: 'pending',
      frozen: false, reserved: false, change: false, blinded: true, token: false, guarded: null, holds: [], label: '',
    });
  }

  private supply(asset: AssetLabel, event: 'reissue' | 'burn', amount: bigint): void {
    const { state, now } = this.world;
    const steps = (state.supply[asset.id] ??= []);
    const before = BigInt(steps.at(-1)?.after ?? '0');
    const after = event === 'burn' ? before - amount : before + amount;
    steps.push({ time: now, height: null, event, amount: amount.toString(), after: after.toString(), txid: hex(state.roll) });
    if (event === 'reissue') this.gain(asset, amount);
  }

  private make(
    kind: DraftKind, network: NetworkId, outs: Out[], did: TransactionKind, steps: StepName[], rate: number | null, chosen: string[] | null, drain: number | null, label: string,
  ): DraftView {
    const { world } = this;
    if (world.scenario === 'halted' && network === 'sidechain') throw refuse('halted', { network });
    const own = coinOf(network);
    const fee_rate = rate ?? (network === 'bitcoin' ? 3_200 : 1_000);
    if (fee_rate < 100) throw refuse('fee-too-low', { least: '100' });
    const vsize = network === 'bitcoin' ? 140 + 31 * outs.length : 2_400 + 1_200 * Math.max(0, outs.length - 1) + 220;
    const fee = BigInt(Math.ceil((vsize * fee_rate) / 1_000));
    const offered = world.state.coins[network].filter((c) => (chosen === null ? this.free(c) : !c.frozen && !c.reserved && c.guarded === null && chosen.includes(c.outpoint)));
    const spend: CoinView[] = [];
    const back: ReviewOutput[] = [];
    const backCoins: CoinView[] = [];
    const wanted = new Map<string, { asset: AssetLabel; amount: bigint }>();
    for (const out of outs) wanted.set(out.asset.id, { asset: out.asset, amount: (wanted.get(out.asset.id)?.amount ?? 0n) + out.amount });
    if (!wanted.has(own.id)) wanted.set(own.id, { asset: own, amount: 0n });
    for (const { asset, amount } of wanted.values()) {
      const coins = offered.filter((c) => c.asset.id === asset.id).sort((a, b) => (BigInt(b.amount) > BigInt(a.amount) ? 1 : -1));
      const everything = coins.reduce((t, c) => t + BigInt(c.amount), 0n);
      const drained = drain !== null && outs[drain]?.asset.id === asset.id ? outs[drain] : null;
      const needFee = asset.id === own.id ? fee : 0n;
      if (drained) drained.amount = everything - (amount - 0n) - needFee;
      const needed = amount + (drained ? drained.amount : 0n) + needFee;
      if (drained && drained.amount <= 0n) throw refuse('insufficient-funds', { asset: asset.id, available: everything.toString(), needed: needFee.toString() });
      if (needed > everything && amount <= everything) throw refuse('insufficient-fee', { available: everything.toString(), needed: needed.toString() });
      if (needed > everything) throw refuse('insufficient-funds', { asset: asset.id, available: everything.toString(), needed: needed.toString() });
      let sum = 0n;
      for (const coin of coins) {
        if (sum >= needed && chosen === null) break;
        spend.push(coin);
        sum += BigInt(coin.amount);
      }
      if (sum > needed) {
        const to = address(world.state.roll, network);
        back.push({ address: to, asset, amount: (sum - needed).toString(), label: '', role: 'change', blinded: network === 'sidechain', false_claim: false });
        backCoins.push({
          outpoint: '', asset, amount: (sum - needed).toString(), address: to, height: null, confirmations: 0, known: 'pending', frozen: false, reserved: false, change: true,
          blinded: network === 'sidechain', token: false, guarded: null, holds: [], label: '',
        });
      }
    }
    const leaves = outs.map((o): ReviewOutput => ({ address: o.address, asset: o.asset, amount: o.amount.toString(), label: o.label ?? '', role: o.role, blinded: network === 'sidechain' && !o.address.startsWith('ert1'), false_claim: false }));
    const paid = outs.filter((o) => o.asset.id === own.id).reduce((t, o) => t + o.amount, 0n);
    const fee_share = paid > 0n ? Number((fee * 10_000n) / paid) : null;
    if (fee_share !== null && fee_share > world.state.settings.fee_limit_percent * 100)
      throw refuse('fee-too-high', { percent: String(Math.round(fee_share / 100)), limit: String(world.state.settings.fee_limit_percent) });
    const draft = this.next++;
    const sums = (list: ReviewOutput[]) => [...list.reduce((map, o) => map.set(o.asset.id, { asset: o.asset, amount: ((map.get(o.asset.id)?.amount ?? 0n) as bigint) + BigInt(o.amount) }), new Map<string, { asset: AssetLabel; amount: bigint }>()).values()]
      .map(({ asset, amount }) => ({ asset, amount: amount.toString() }));
    for (const coin of spend) coin.reserved = true;
    const spends = [...wanted.values()].map(({ asset }) => ({ asset, amount: spend.filter((c) => c.asset.id === asset.id).reduce((t, c) => t + BigInt(c.amount), 0n).toString() }));
    const view: DraftView = {
      draft, kind, network, fee: fee.toString(), fee_rate, vsize, fee_share, leaves: sums(leaves), comes_back: sums(back), coins: spend.length, expires: world.now + 3_600,
      replaces_fee: null, asset: null, domain_proof: '', signed: false, exported: false, label,
    };
    const review: Review = {
      draft, kind, network, leaves, comes_back: back, fee: fee.toString(), fee_rate, fee_share, coins: spend.length, spends, creates: [], destroys: [],
      others_see: network === 'bitcoin' ? 'everything' : 'fee-and-scripts', summary_hash: hex(world.state.roll), locked: !world.state.unlocked, signed: false, watch_only: false, valueless: true,
    };
    const first = outs[0];
    this.open.set(draft, {
      view, review, spend, back: backCoins, kind: did, steps, amount: first ? { asset: first.asset, amount: first.amount.toString() } : null, destination: first?.address ?? '', label, after: () => {},
    });
    return view;
  }
}
