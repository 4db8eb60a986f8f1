// A believable world in memory: balances that follow the coins, operations that move with the blocks, typed refusals.
import type {
  AssetDetail, AssetLabel, AssetView, BalanceStep, BalanceView, Commands, Failure, FlowEnd, HistoryRow, NetworkId, NetworkView,
  Notice, OperationView, Overview, Progress, Recognised, Tag, TransactionView,
  WalletView,
} from '../bindings';
import type { Answer, CommandName, Host, KeyringState, Request, WordsPurpose } from '../host';
import { BTC, FAKE, HBR27, HBR27_TOKEN, LBTC, PEARL, address, hex, qr } from './assets';
import { pegAudit, rollback } from './audit';
import * as coloured from './coloured';
import { DeskOfMock } from './desk';
import { StakesOfMock } from './stake';
import { Drafts } from './drafts';
import { NOW, begin, type Scenario, type State } from './seed';

export const refuse = (code: Failure['code'], args: Record<string, string> = {}): Failure => ({ code, args });

type Handlers = { [C in CommandName]: (request: Request<C>) => Commands[C]['answer'] };

export const KNOWN: AssetLabel[] = [BTC, LBTC, HBR27, PEARL, FAKE, HBR27_TOKEN];
export const coinOf = (network: NetworkId): AssetLabel => (network === 'bitcoin' ? BTC : LBTC);

export class World implements Host {
  readonly state: State;
  readonly drafts: Drafts;
  readonly desk: DeskOfMock = new DeskOfMock(this);
  private readonly staked = new StakesOfMock(this);
  assets: AssetLabel[] = [...KNOWN];
  now = NOW;
  /** What the face asked of the window system, for tests. */
  readonly asked: { confirm: number[]; words: WordsPurpose[]; saved: string[]; copied: string[]; closed: number } = {
    confirm: [], words: [], saved: [], copied: [], closed: 0,
  };
  chosenFile: string | null = null;
  onConfirm: (draft: number) => void = () => {};
  onCloseConfirm: () => void = () => {};
  private notices: { seq: number; send: (notice: Notice) => void }[] = [];

  constructor(readonly scenario: Scenario = 'full') {
    this.state = begin(scenario);
    this.drafts = new Drafts(this);
  }

  // -- the host

  async invoke<C extends CommandName>(name: C, request: Request<C>): Promise<Answer<C>> {
    if (this.scenario === 'loading' && name !== 'app_state' && name !== 'settings_get') return new Promise(() => {});
    await Promise.resolve();
    const handler = this.handlers[name] as (request: Request<C>) => Answer<C>;
    if (!handler) throw refuse('unknown-command');
    return structuredClone(handler(request));
  }

  async subscribe(onNotice: (notice: Notice) => void, _onProgress: (progress: Progress) => void): Promise<void> {
    this.notices.push({ seq: 0, send: onNotice });
  }

  async openConfirm(draft: number): Promise<void> {
    this.asked.confirm.push(draft);
    this.onConfirm(draft);
  }

  async closeConfirm(): Promise<void> {
    this.asked.closed += 1;
    this.onCloseConfirm();
  }

  async openWords(purpose: WordsPurpose): Promise<WalletView | null> {
    this.asked.words.push(purpose);
    if (purpose === 'backup') for (const wallet of this.state.wallets) wallet.backed_up = true;
    else this.quickStart(purpose === 'create' ? 'New wallet' : 'Restored wallet', false);
    this.notify(['app', 'balances', 'history', 'coins', 'assets', 'operations']);
    return purpose === 'backup' ? null : this.selected();
  }

  async keyringState(): Promise<KeyringState> {
    return { offered: this.scenario === 'locked', remembered: this.scenario === 'locked' };
  }

  async keyringRemember(_wallet: number, password: string): Promise<void> {
    if (password !== this.state.password) throw refuse('wrong-password', { wait_seconds: '2' });
  }

  async keyringForget(): Promise<void> {}

  async keyringUnlock(): Promise<WalletView> {
    this.state.unlocked = true;
    this.notify(['app']);
    return this.selected();
  }

  async saveFile(name: string): Promise<string | null> {
    this.asked.saved.push(name);
    return `/home/harbour/${name}`;
  }

  async copyText(text: string): Promise<void> {
    this.asked.copied.push(text);
  }

  async chooseTextFile(): Promise<string | null> {
    return this.chosenFile;
  }

  notify(tags: Tag[]): void {
    for (const window of this.notices) {
      window.seq += 1;
      window.send({ seq: window.seq, tags });
    }
  }

  // -- the chains

  /** Adds blocks and moves what waits for them. */
  mine(network: NetworkId, blocks: number): void {
    const { state } = this;
    state.height[network] += blocks;
    this.now += network === 'bitcoin' ? 30 * blocks : 2 * blocks;
    for (const coin of state.coins[network]) {
      coin.confirmations += blocks;
      coin.height ??= state.height[network];
      coin.known = 'verified';
    }
    for (const row of state.history)
      if (row.network === network) {
        row.confirmations += blocks;
        row.height ??= state.height[network];
        if (row.confirmations >= row.depth || row.kind !== 'peg-in-deposit') row.known = 'verified';
      }
    for (const operation of state.operations) this.advance(operation, network, blocks);
    this.notify(['networks', 'balances', 'coins', 'history', 'operations']);
  }

  private advance(operation: OperationView, network: NetworkId, blocks: number): void {
    if (operation.status !== 'running' && operation.status !== 'waiting') return;
    if (operation.counts !== null && operation.counts !== network) return;
    operation.done = Math.min(operation.of, operation.done + blocks);
    operation.eta = Math.max(0, (operation.of - operation.done) * 520);
    if (operation.done < operation.of) return;
    const current = operation.steps.findIndex((s) => s.state === 'current');
    const next = operation.steps[current + 1];
    const step = operation.steps[current];
    if (step) Object.assign(step, { state: 'done', time: this.now, height: this.state.height[network] });
    if (!next) {
      Object.assign(operation, { status: 'done', finished: this.now, can: [], eta: null });
      return;
    }
    next.state = 'current';
    operation.done = 0;
    operation.of = next.step === 'depth' ? 10 : next.step === 'spendable' ? 2 : 1;
    operation.counts = next.step === 'depth' || (next.step === 'final' && operation.kind === 'peg-out') || next.step === 'paid-on-bitcoin' || next.step === 'funded' ? 'bitcoin' : 'sidechain';
    if (next.step === 'spendable' && operation.kind === 'peg-in') {
      operation.can = [];
      operation.sidechain_txid = hex(this.state.roll);
    }
  }

  private network(id: NetworkId): NetworkView {
    const { state, scenario } = this;
    const offline = scenario === 'offline' && id === 'bitcoin';
    const halted = scenario === 'halted' && id === 'sidechain';
    const loading = scenario === 'loading';
    const passed = !loading;
    const peers = id === 'bitcoin' ? 3 : 5;
    return {
      network: id,
      phase: halted ? 'halted' : offline ? 'offline' : 'synced',
      height: state.height[id],
      tip_time: id === 'bitcoin' ? this.now - 240 : this.now - 1,
      scanned_to: state.height[id],
      peers: Array.from({ length: peers }, (_, i) => ({
        address: `127.0.0.1:${id === 'bitcoin' ? 18_444 + i : 17_040 + i}`,
        connected: !offline,
        agent: id === 'bitcoin' ? '/Satoshi:29.2.0/' : '/Functionary:0.1.0/',
        height: state.height[id],
      })),
      checks:
        id === 'bitcoin'
          ? [{ check: 'proof-of-work', passed, have: 1, of: 1 }, { check: 'filters', passed, have: offline ? 0 : 3, of: 3 }]
          : [{ check: 'signatures', passed, have: 3, of: 5 }, { check: 'proofs', passed: passed && !halted, have: halted ? 0 : 1, of: 1 }],
      capabilities: id === 'bitcoin' ? ['receive', 'send', 'peg'] : ['receive', 'send', 'issue', 'peg'],
      fault: halted ? refuse('bad-proof', { txid: 'a6ca3dee42c220999a9f3f82cd688823ee2028d7ea2f3b8b612500f9696cde24', proof: 'rangeproof', height: '18407' })
        : offline ? refuse('no-peers') : null,
      offline_since: offline ? this.now - 720 : null,
      block_seconds: id === 'bitcoin' ? 520 : 2,
    };
  }

  // -- sums

  balance(network: NetworkId, asset: AssetLabel): BalanceView | null {
    const coins = this.state.coins[network].filter((c) => c.asset.id === asset.id);
    if (coins.length === 0 && asset.id !== BTC.id && asset.id !== LBTC.id) return null;
    const sum = (of: typeof coins) => of.reduce((total, c) => total + BigInt(c.amount), 0n).toString();
    return {
      asset, network, confirmed: sum(coins.filter((c) => c.confirmations > 0)), pending: sum(coins.filter((c) => c.confirmations === 0)),
      frozen: sum(coins.filter((c) => c.frozen)), available: sum(coins.filter((c) => this.drafts.free(c))), known: 'verified', coins: coins.length,
    };
  }

  private overview(): Overview {
    const balances: BalanceView[] = [];
    if (this.state.selected !== null) {
      for (const asset of this.assets) {
        const found = this.balance(asset.id === BTC.id ? 'bitcoin' : 'sidechain', asset);
        if (found) balances.push(found);
      }
    }
    const own = balances.filter((b) => b.asset.id === BTC.id || b.asset.id === LBTC.id);
    const sum = (of: (b: BalanceView) => string) => own.reduce((total, b) => total + BigInt(of(b)), 0n).toString();
    const crossing = this.state.operations
      .filter((o) => o.finished === null && (o.kind === 'peg-in' || o.kind === 'peg-out') && o.amount)
      .reduce((total, o) => total + BigInt(o.amount!.amount), 0n);
    return { verified: sum((b) => b.confirmed), pending: sum((b) => b.pending), crossing: crossing.toString(), balances };
  }

  private balanceSteps(): BalanceStep[] {
    if (this.state.coins.bitcoin.length === 0) return [];
    const now = this.overview();
    const end = (id: string) => BigInt(now.balances.find((b) => b.asset.id === id)?.confirmed ?? '0');
    // A world that began empty has one step, however often it was paid since.
    const began = Math.min(...this.state.history.map((row) => row.time));
    if (this.now - began < 86_400) return [{ time: began, bitcoin: end(BTC.id).toString(), sidechain: end(LBTC.id).toString(), crossing: now.crossing }];
    const shape: [number, number, number][] = [
      [31, 70, 0], [27.8, 106, 0], [24, 163, 0], [18, 110, 55], [16.5, 145, 58], [14, 104, 62], [11, 111, 66], [8, 118, 70], [5, 119, 73], [0.6, 100, 93], [0, 100, 100],
    ];
    return shape.map(([days, b, s]) => ({
      time: Math.round(this.now - days * 86_400),
      bitcoin: ((end(BTC.id) * BigInt(b)) / 100n).toString(),
      sidechain: ((end(LBTC.id) * BigInt(s)) / 100n).toString(),
      crossing: days === 0.6 || days === 0 ? now.crossing : '0',
    }));
  }

  watchOnly(): boolean {
    return this.state.wallets.find((w) => w.id === this.state.selected)?.watch_only === true;
  }

  asset(id: string): AssetLabel {
    const found = this.assets.find((a) => a.id === id);
    if (!found) throw refuse('unknown-asset', { asset: id });
    return found;
  }

  private assetView(asset: AssetLabel): AssetView {
    const token = asset.id === HBR27_TOKEN.id;
    return {
      asset, domain: asset.id === HBR27.id ? 'harbour-bonds.example' : asset.id === PEARL.id ? 'pearl.example' : '', balance: this.balance('sidechain', asset),
      issued_here: this.state.issued.has(asset.id), can_reissue: asset.id === HBR27.id, policy: asset.id === LBTC.id,
      token_of: token ? HBR27.id : null, look_alike: asset.id === FAKE.id,
    };
  }

  private assetDetail(asset: AssetLabel): AssetDetail {
    const supply = this.state.supply[asset.id] ?? [];
    const sum = (burned: boolean) => supply.filter((s) => (s.event === 'burn') === burned).reduce((t, s) => t + BigInt(s.amount), 0n);
    const view = this.assetView(asset);
    const contract = { domain: view.domain, entity: view.domain, name: asset.name, precision: asset.precision, ticker: asset.ticker, version: 0 };
    return {
      view, issuance_prevout: `${asset.id.slice(0, 60)}abcd:0`, issuance_txid: supply[0]?.txid ?? '', entropy: asset.id.split('').reverse().join(''),
      token: HBR27_TOKEN.id, token_held: asset.id === HBR27.id && this.balance('sidechain', HBR27_TOKEN) ? 'usable' : 'none', token_amount: asset.id === HBR27.id ? '1' : '0', contract_hash: asset.named ? 'f7e4f5da5984f817b9cfa37bcec4d634d4f1bd8884174816e1d933ef0b7e5e9f' : '',
      contract_json: asset.named && !view.policy ? JSON.stringify(contract) : '', blinded: true, supply, supply_known: (sum(false) - sum(true)).toString(),
      issued: sum(false).toString(), burned: sum(true).toString(),
      domain_proof: view.domain ? `Authorize linking the domain name ${view.domain} to the Liquid asset ${asset.id}` : '',
      domain_proof_url: view.domain ? `https://${view.domain}/.well-known/liquid-asset-proof-${asset.id}` : '',
    };
  }

  private transaction(network: NetworkId, txid: string): TransactionView {
    const row = this.state.history.find((r) => r.txid === txid && r.network === network);
    if (!row) throw refuse('not-found', { what: 'transaction' });
    const blinded = network === 'sidechain';
    const end = (asset: AssetLabel | null, amount: bigint | null, role: FlowEnd['role'], label = '', to = row.counterparty): FlowEnd => ({
      asset, amount: amount === null ? null : amount.toString(), address: role === 'fee' ? '' : to || `${txid}:0`, role, blinded: blinded && role !== 'fee', label,
    });
    const inputs: FlowEnd[] = [];
    const outputs: FlowEnd[] = [];
    const coin = coinOf(network);
    const fee = BigInt(row.fee);
    for (const { asset, amount, out } of row.moved) {
      const atoms = BigInt(amount);
      if (out) {
        const change = atoms + atoms / 3n + 1_397_380n;
        inputs.push(end(asset, (atoms * 3n) / 5n, 'ours', 'Peg-in, 3 Nov', `${txid}:0`), end(asset, atoms - (atoms * 3n) / 5n + change + (asset.id === coin.id ? fee : 0n), 'ours', 'Quay & Sons', `${txid}:2`));
        outputs.push(end(asset, atoms, row.kind === 'burned' ? 'burn' : row.kind.startsWith('peg') ? 'peg' : 'foreign', row.label));
        outputs.push(end(asset, change, 'change', ''));
      } else if (row.kind === 'issued' || row.kind === 'reissued') {
        inputs.push(end(asset, atoms, 'issue'));
        outputs.push(end(asset, atoms, 'ours', row.label));
      } else {
        inputs.push(end(null, null, 'foreign', '', `${txid}:1`));
        outputs.push(end(asset, atoms, 'ours', row.label), end(blinded ? null : asset, blinded ? null : atoms * 2n, 'foreign', ''));
      }
    }
    outputs.push(end(coin, fee > 0n ? fee : 2_620n, 'fee'));
    return {
      row, inputs, outputs, block: row.height === null ? null : `${txid.slice(32)}${txid.slice(0, 32)}`, vsize: network === 'bitcoin' ? 208 : 2_620, fee_rate: 1_000,
      replaceable: row.confirmations === 0 && fee > 0n, can_cpfp: row.confirmations === 0,
      checks: network === 'bitcoin' ? ['proof-of-work', 'filters'] : ['signatures', 'federation', 'proofs'], raw: '02000000' + txid,
    };
  }

  private recognise(text: string): Recognised {
    const found = text.trim();
    const blank: Recognised = { kind: 'unknown', address: '', network: null, confidential: false, amount: null, asset: null, label: '', paid_before: 0, ours: false };
    if (found === '') return blank;
    const plain = found.replace(/^[a-z]+:/, '').split('?')[0] ?? '';
    const amount = /[?&]amount=([0-9.]+)/.exec(found)?.[1];
    const atoms = amount ? BigInt(Math.round(Number(amount) * 1e8)).toString() : null;
    const known = this.state.history.find((r) => r.counterparty === plain);
    const label = this.state.labels.get(plain) ?? known?.label ?? '';
    const ours = this.state.accounts.some((a) => a.address === plain);
    const base = { ...blank, kind: 'address' as const, address: plain, amount: atoms, label, paid_before: known ? 3 : 0, ours };
    if (/^bcrt1[a-z0-9]{20,}$/.test(plain)) return { ...base, network: 'bitcoin' };
    if (/^el1[a-z0-9]{60,}$/.test(plain)) return { ...base, network: 'sidechain', confidential: true };
    if (/^ert1[a-z0-9]{20,}$/.test(plain)) return { ...base, network: 'sidechain' };
    if (found.startsWith('cHNidP')) return { ...blank, kind: 'psbt' };
    if (found.startsWith('cHNldP')) return { ...blank, kind: 'pset' };
    if (/^[0-9a-f]{64}$/.test(found)) return { ...blank, kind: this.assets.some((a) => a.id === found) ? 'asset' : 'txid' };
    return blank;
  }

  private quickStart(name: string, open: boolean): void {
    const { state } = this;
    const id = state.wallets.length + 1;
    state.wallets.push({ id, name, fingerprint: hex(state.roll, 8), watch_only: false, no_password: true, backed_up: !open });
    state.selected = id;
    state.unlocked = true;
  }

  private unlock(password: string): void {
    const { state } = this;
    if (state.tries >= 3) throw refuse('too-many-tries', { wait_seconds: '30' });
    if (password === state.password) {
      state.tries = 0;
      state.unlocked = true;
      return;
    }
    state.tries += 1;
    throw refuse('wrong-password', { wait_seconds: String(2 ** state.tries) });
  }

  private selected() {
    const wallet = this.state.wallets.find((w) => w.id === this.state.selected);
    if (!wallet) throw refuse('unknown-wallet');
    return wallet;
  }

  private page(rows: HistoryRow[], cursor: string | null, limit: number) {
    const from = cursor === null ? 0 : Number(cursor);
    const next = from + limit < rows.length ? String(from + limit) : null;
    return { rows: rows.slice(from, from + limit), next };
  }

  private readonly handlers: Handlers = {
    app_state: () => ({ realm: 'sandbox', valueless: true, testbed: true, wallets: this.state.wallets, selected: this.state.selected, unlocked: this.state.unlocked }),
    words_new: () => { throw refuse('not-offered', { what: 'words' }); },
    wallet_create: () => { throw refuse('not-offered', { what: 'words' }); },
    words_confirm: () => { throw refuse('not-offered', { what: 'words' }); },
    wallet_words: () => { throw refuse('not-offered', { what: 'words' }); },
    wallet_quick_start: ({ name }) => { this.quickStart(name, true); return this.selected(); },
    wallet_watch: ({ name, bitcoin, sidechain }) => {
      if (!/^(wpkh|tr|wsh|pkh|sh)\(/.test(bitcoin)) throw refuse('bad-descriptor', { why: 'bitcoin' });
      if (!sidechain.startsWith('ct(')) throw refuse('bad-descriptor', { why: 'sidechain' });
      this.quickStart(name, false);
      Object.assign(this.selected(), { watch_only: true, fingerprint: '' });
      return this.selected();
    },
    wallet_descriptors: ({ wallet }) => {
      const print = this.state.wallets.find((w) => w.id === wallet)?.fingerprint || '73c5da0a';
      const key = "tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M";
      return {
        bitcoin: [0, 1].map((chain) => `wpkh([${print}/84'/1'/0']${key}/${chain}/*)#qqqqqqqq`).join('\n'),
        sidechain: `ct(slip77(${'5a'.repeat(32)}),elwpkh([${print}/84'/1'/0']${key}/<0;1>/*))#qqqqqqqq`, birthday: null,
      };
    },
    wallet_select: ({ wallet }) => { this.state.selected = wallet; return this.selected(); },
    wallet_rename: ({ wallet, name }) => Object.assign(this.state.wallets.find((w) => w.id === wallet) ?? this.selected(), { name }),
    wallet_forget: ({ wallet, password }) => {
      if (password !== this.state.password) throw refuse('wrong-password', { wait_seconds: '2' });
      this.state.wallets = this.state.wallets.filter((w) => w.id !== wallet);
      this.state.selected = this.state.wallets[0]?.id ?? null;
      return {} as never;
    },
    unlock: ({ password }) => { this.unlock(password); return this.selected(); },
    lock: () => { this.state.unlocked = false; return {} as never; },
    password_change: ({ old, new: next }) => {
      if (old !== this.state.password) throw refuse('wrong-password', { wait_seconds: '2' });
      if (next.length < 8) throw refuse('weak-password', { least: '8' });
      this.state.password = next;
      return {} as never;
    },
    settings_get: () => this.state.settings,
    settings_set: (next) => (this.state.settings = next),
    about: () => ({ version: '0.1.0', profile_dir: '/home/harbour/.local/share/causeway/sandbox', sqlite: '3.51.3', realm_toml: 'name = "sandbox"\nvalueless = true\ntestbed = true\n\n[bitcoin]\nnetwork = "regtest"\n' }),
    networks: () => [this.network('bitcoin'), this.network('sidechain')],
    network_rescan: () => ({}) as never,
    testbed_fund: ({ sat }) => {
      const { roll } = this.state;
      const txid = hex(roll);
      const to = address(roll, 'bitcoin');
      this.state.coins.bitcoin.unshift({
        outpoint: `${txid}:0`, asset: BTC, amount: sat, address: to, height: null, confirmations: 0, known: 'pending', frozen: false, reserved: false,
        change: false, blinded: false, token: false, guarded: null, holds: [], label: '',
      });
      this.state.history.unshift({
        network: 'bitcoin', txid, kind: 'received', moved: [{ asset: BTC, amount: sat, out: false }], fee: '0', height: null, time: this.now, known: 'pending',
        confirmations: 0, depth: 6, label: '', counterparty: to, operation: null,
      });
      this.notify(['balances', 'coins', 'history']);
      return { txid };
    },
    testbed_mine: ({ network, blocks }) => { this.mine(network, blocks); return {} as never; },
    overview: () => this.overview(),
    balance_history: ({ since }) => ({ steps: this.balanceSteps().filter((s, i, all) => since === null || s.time >= since || (all[i + 1]?.time ?? Infinity) > since) }),
    receive: ({ network, amount, asset, explicit, label, again }) => {
      const own = this.state.accounts.filter((a) => a.network === network && !a.change);
      let found = again ? own.filter((a) => !a.used).at(-1) : undefined;
      if (!found || explicit) {
        found = { network, index: own.length, change: false, used: false, label, address: address(this.state.roll, network, explicit) };
        this.state.accounts.push(found);
      }
      if (label) found.label = label;
      const query = [amount ? `amount=${amount}` : '', asset ? `assetid=${asset}` : '', label ? `label=${encodeURIComponent(label)}` : ''].filter(Boolean).join('&');
      const uri = `${network === 'bitcoin' ? 'bitcoin' : 'liquidnetwork'}:${found.address}${query ? `?${query}` : ''}`;
      return { address: found.address, uri, qr: qr(uri), index: found.index, path: network === 'bitcoin' ? `m/84'/1'/0'/0/${found.index}` : `m/84'/1'/1'/0/${found.index}` };
    },
    addresses: ({ network }) => this.state.accounts.filter((a) => a.network === network),
    coins: ({ network }) => this.state.coins[network],
    coin_freeze: ({ network, outpoint, frozen }) => {
      const coin = this.state.coins[network].find((c) => c.outpoint === outpoint);
      if (!coin) throw refuse('not-found', { what: 'coin' });
      coin.frozen = frozen;
      return {} as never;
    },
    label_set: ({ reference, text }) => {
      this.state.labels.set(reference, text);
      for (const row of this.state.history) if (row.txid === reference) row.label = text;
      for (const coins of Object.values(this.state.coins)) for (const coin of coins) if (coin.outpoint === reference) coin.label = text;
      for (const account of this.state.accounts) if (account.address === reference) account.label = text;
      return {} as never;
    },
    labels_export: () => ({ name: 'labels.jsonl', text: '{"type":"tx","ref":"00","label":"Invoice"}\n' }),
    labels_import: ({ text }) => ({ taken: text.split('\n').filter((l) => l.startsWith('{')).length, skipped: text.split('\n').filter((l) => l !== '' && !l.startsWith('{')).length }),
    history: ({ network, asset, search, cursor, limit }) => {
      const words = search?.toLowerCase() ?? '';
      const rows = this.state.history.filter((r) =>
        (network === null || r.network === network) && (asset === null || r.moved.some((m) => m.asset.id === asset)) &&
        (words === '' || `${r.label} ${r.txid} ${r.counterparty} ${r.moved.map((m) => m.asset.ticker).join(' ')}`.toLowerCase().includes(words)));
      return { ...this.page(rows, cursor, limit), total: this.state.history.filter((r) => network === null || r.network === network).length };
    },
    history_export: ({ network }) => ({ name: `history-${network}.csv`, text: 'time,kind,amount\n' }),
    rollbacks: () => (this.state.rolledBack ? [rollback(this.state.history)] : []),
    rollback_dismiss: () => { this.state.rolledBack = false; return {} as never; },
    transaction: ({ network, txid }) => this.transaction(network, txid),
    recognise: ({ text }) => this.recognise(text),
    fee_choices: ({ network }) => network === 'bitcoin'
      ? [{ name: 'slow', rate: 1_000, blocks: 6 }, { name: 'normal', rate: 3_200, blocks: 2 }, { name: 'urgent', rate: 8_500, blocks: 1 }]
      : [{ name: 'slow', rate: 100, blocks: 30 }, { name: 'normal', rate: 1_000, blocks: 1 }, { name: 'urgent', rate: 2_000, blocks: 1 }],
    send_plan: (plan) => this.drafts.send(plan),
    bump_plan: (plan) => this.drafts.bump(plan),
    peg_in_plan: (plan) => this.drafts.pegIn(plan),
    peg_out_plan: (plan) => this.drafts.pegOut(plan),
    issue_plan: (plan) => this.drafts.issue(plan),
    reissue_plan: (plan) => this.drafts.reissue(plan),
    burn_plan: (plan) => this.drafts.burn(plan),
    drafts: () => this.drafts.list(),
    draft_review: ({ draft }) => this.drafts.review(draft),
    draft_sign: ({ draft, summary_hash }) => this.drafts.sign(draft, summary_hash),
    draft_sign_only: ({ draft, summary_hash }) => this.drafts.signOnly(draft, summary_hash),
    draft_discard: ({ draft }) => { this.drafts.discard(draft); return {} as never; },
    draft_export: ({ draft }) => this.drafts.export(draft),
    draft_import: ({ text, draft }) => (draft === null ? this.drafts.import(text) : this.drafts.bring(text, draft)),
    peg_in_address: () => {
      const to = address(this.state.roll, 'bitcoin');
      const operation: OperationView = {
        operation: this.state.operations.length + 1, kind: 'peg-in', status: 'waiting', amount: null,
        steps: (['awaiting-payment', 'funded', 'depth', 'claimed', 'spendable'] as const).map((step, i) => ({ step, state: i === 0 ? 'current' : 'ahead', time: null, height: null })),
        no_return: 1, done: 0, of: 1, counts: 'bitcoin', eta: null, can: ['stop'], valid_until: 21_599, address: to, qr: qr(`bitcoin:${to}`), bitcoin_txid: null,
        sidechain_txid: null, arrives: null, started: this.now, finished: null, why: null, label: '',
      };
      this.state.operations.unshift(operation);
      return operation;
    },
    operations: ({ open, limit }) => this.state.operations.filter((o) => open === null || (o.finished === null) === open).slice(0, limit),
    operation: ({ operation }) => this.operation(operation),
    operation_act: ({ operation, action }) => {
      const found = this.operation(operation);
      if (!found.can.includes(action)) throw refuse('point-of-no-return');
      if (action === 'stop') Object.assign(found, { status: 'stopped', finished: this.now, can: [] });
      if (action === 'hold') Object.assign(found, { status: 'waiting', can: ['resume'] });
      if (action === 'resume' || action === 'retry') Object.assign(found, { status: 'running', can: ['hold'] });
      return found;
    },
    peg_out_keys: () => ({ needed: false, entry: '02' + 'cd'.repeat(65), listed: false }),
    bridge: () => ({
      signatures_needed: 3, functionaries: 5, peg_needed: 3, peg_keys: 5, emergency_needed: 2, emergency_keys: 3, emergency_delay: 4032, fedpegscript: '5321' + 'ab'.repeat(80), verified_at: 18_400, valid_until: 21_599, peg_in_depth: 10,
      pak: false, peg_in_paused: this.scenario === 'halted' ? refuse('halted', { network: 'sidechain' }) : null,
      peg_out_paused: this.scenario === 'paused' ? refuse('peg-paused', { why: 'evidence' }) : this.scenario === 'halted' ? refuse('halted', { network: 'sidechain' }) : null,
    }),
    peg_audit: () => pegAudit(this.state.audit, this.scenario === 'halted'),
    peg_audit_set: ({ wish }) => pegAudit((this.state.audit = wish), this.scenario === 'halted'),
    assets: () => this.assets.filter((a) => a.id !== BTC.id && (this.balance('sidechain', a) || this.state.issued.has(a.id))).map((a) => this.assetView(a)),
    asset: ({ asset }) => this.assetDetail(this.asset(asset)),
    contract_import: ({ asset, contract }) => {
      if (!contract.trim().startsWith('{')) throw refuse('bad-contract', { field: 'json' });
      return this.assetView(this.asset(asset));
    },
    coloured_assets: () => coloured.coloured(this),
    coloured_issue_plan: ({ amount, fee_rate }) => coloured.plan(this, 'oMb2yzA542yQgwn8XtmGefTzBv5NJ2nDjh', amount, null, fee_rate),
    coloured_reissue_plan: ({ asset, amount, fee_rate }) => coloured.plan(this, asset, amount, null, fee_rate),
    coloured_send_plan: ({ asset, recipients, fee_rate }) => coloured.plan(this, asset, recipients[0]?.amount ?? '0', recipients[0]?.address ?? null, fee_rate),
    coloured_burn_plan: ({ asset, amount, fee_rate }) => coloured.plan(this, asset, amount, null, fee_rate),
    coloured_holders: ({ asset }) => coloured.holders(this, asset),
    dividend_plan: ({ asset, amount, fee_rate }) => coloured.plan(this, asset, amount, null, fee_rate),
    ledger_server: () => ({}) as never,
    ledger_balances: () => coloured.ledger(this),
    ledger_history: () => coloured.ledgerHistory(this),
    ledger_offers: () => coloured.ledgerOffers(this),
    ledger_plan: ({ asset, amount, to, fee_rate }) => coloured.plan(this, asset, amount, to, fee_rate),
    ...this.desk.handlers,
    ...this.staked.handlers,
    proof_export: ({ txid }) => ({ name: `proof-${txid.slice(0, 8)}.json`, text: '{}' }),
    update_check: ({ package: text, file }) => {
      if (!text.trim().startsWith('{')) throw refuse('bad-release', { why: 'no release package' });
      const one = { name: 'causeway-0.2.0-linux-x86_64.deb', size: 3, sha256: '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81' };
      if (file && file.sha256 !== one.sha256) throw refuse('release-file', { name: file.name });
      return { version: '0.2.0', released: 1_790_000_000, publishers: 1, auditors: 2, functionaries: 3, files: [one], verified: file ? one.name : null };
    },
    proof_verify: () => ({ ok: true, statements: [{ kind: 'inclusion', ok: true, amount: null, detail: '17995' }] }),
  };

  private operation(id: number): OperationView {
    const found = this.state.operations.find((o) => o.operation === id);
    if (!found) throw refuse('not-found', { what: 'operation' });
    return found;
  }
}
