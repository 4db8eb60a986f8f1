// The state in which a world in memory begins.
import type {
  AssetLabel, CoinView, HistoryRow, Known, Moved, NetworkId, OperationView, PegAuditWish, Settings, SupplyStep, TransactionKind, WalletView,
} from '../bindings';
import { BTC, FAKE, HBR27, HBR27_TOKEN, LBTC, PEARL, address, dice, hex, qr } from './assets';

/** What a test or a page asks to see. */
export type Scenario =
  | 'full' | 'fresh' | 'empty' | 'loading' | 'offline' | 'paused' | 'halted' | 'many' | 'long' | 'locked' | 'watch';

export const NOW = Math.floor(Date.now() / 1000);
const DAY = 86_400;

export interface Account {
  address: string;
  network: NetworkId;
  index: number;
  change: boolean;
  used: boolean;
  label: string;
}

export interface State {
  scenario: Scenario;
  audit: PegAuditWish;
  rolledBack: boolean;
  wallets: WalletView[];
  selected: number | null;
  unlocked: boolean;
  password: string;
  tries: number;
  settings: Settings;
  height: Record<NetworkId, number>;
  coins: Record<NetworkId, CoinView[]>;
  history: HistoryRow[];
  accounts: Account[];
  operations: OperationView[];
  supply: Record<string, SupplyStep[]>;
  issued: Set<string>;
  labels: Map<string, string>;
  roll: () => number;
}

export const settings = (): Settings => ({
  language: 'en',
  theme: 'system',
  auto_lock_minutes: 15,
  hide_amounts: false,
  fee_limit_percent: 5,
  gap_limit: 20,
  proof_depth: 0,
  bitcoin_peers: [],
  sidechain_peers: [],
});

const LONG = 'Invoice 2026-11-2198 for the third delivery of the harbour wall, second instalment, as agreed with the trustees of Tidewater Ltd';

function coin(roll: () => number, network: NetworkId, asset: AssetLabel, amount: bigint, label: string, more: Partial<CoinView> = {}): CoinView {
  return {
    outpoint: `${hex(roll)}:${Math.floor(roll() * 3)}`, asset, amount: amount.toString(), address: address(roll, network), height: 1200,
    confirmations: 84, known: 'verified', frozen: false, reserved: false, change: label === '', blinded: network === 'sidechain',
    token: asset.id === HBR27_TOKEN.id, guarded: null, holds: [], label, ...more,
  };
}

interface Line {
  network: NetworkId;
  kind: TransactionKind;
  moved: [AssetLabel, bigint, boolean][];
  ago: number;
  label?: string;
  known?: Known;
  confirmations?: number;
  fee?: bigint;
  operation?: number;
  to?: boolean;
}

function row(roll: () => number, line: Line, height: Record<NetworkId, number>): HistoryRow {
  const depth = line.kind === 'peg-in-deposit' ? 10 : line.network === 'bitcoin' ? 6 : 2;
  const confirmations = line.confirmations ?? 412;
  const moved: Moved[] = line.moved.map(([asset, amount, out]) => ({ asset, amount: amount.toString(), out }));
  return {
    network: line.network, txid: hex(roll), kind: line.kind, moved, fee: (line.fee ?? 0n).toString(),
    height: confirmations > 0 ? height[line.network] - confirmations + 1 : null, time: NOW - line.ago,
    known: line.known ?? 'verified', confirmations, depth, label: line.label ?? '',
    counterparty: line.to === false ? '' : address(roll, line.network), operation: line.operation ?? null,
  };
}

const LINES: Line[] = [
  { network: 'sidechain', kind: 'sent', moved: [[LBTC, 12_500_000n, true]], ago: 900, fee: 2620n },
  { network: 'bitcoin', kind: 'peg-in-deposit', moved: [[BTC, 25_000_000n, true]], ago: 780, known: 'pending', confirmations: 7, operation: 2, fee: 1410n, label: 'To the sidechain' },
  { network: 'sidechain', kind: 'received', moved: [[HBR27, 1_250_000n, false]], ago: 8_000, label: 'Tidewater Ltd, invoice 2207' },
  { network: 'sidechain', kind: 'burned', moved: [[HBR27, 5_000_000n, true]], ago: DAY + 4_000, label: 'Request R-0031', fee: 2710n, to: false },
  { network: 'sidechain', kind: 'peg-out', moved: [[LBTC, 10_000_000n, true]], ago: DAY + 9_000, operation: 3, fee: 2650n },
  { network: 'bitcoin', kind: 'received', moved: [[BTC, 42_000n, false]], ago: 2 * DAY, label: 'Chart room' },
  { network: 'bitcoin', kind: 'sent', moved: [[BTC, 3_100_000n, true]], ago: 3 * DAY, fee: 1890n, label: 'Quay & Sons' },
  { network: 'sidechain', kind: 'moved', moved: [[LBTC, 2640n, true]], ago: 4 * DAY, fee: 2640n, label: 'Two coins into one', to: false },
  { network: 'sidechain', kind: 'peg-in-claim', moved: [[LBTC, 49_998_000n, false]], ago: 18 * DAY, to: false },
  { network: 'sidechain', kind: 'reissued', moved: [[HBR27, 25_000_000n, false]], ago: 15 * DAY, fee: 3010n, to: false },
  { network: 'sidechain', kind: 'sent', moved: [[HBR27, 28_750_000n, true]], ago: 12 * DAY, fee: 2800n, label: 'Distribution, first round' },
  { network: 'sidechain', kind: 'issued', moved: [[HBR27, 100_000_000n, false], [HBR27_TOKEN, 1n, false]], ago: 30 * DAY, fee: 3410n, to: false },
  { network: 'bitcoin', kind: 'peg-out-payment', moved: [[BTC, 9_998_600n, false]], ago: 21 * DAY },
  { network: 'bitcoin', kind: 'mined', moved: [[BTC, 90_000_000n, false]], ago: 30 * DAY, to: false },
];

function many(roll: () => number, height: Record<NetworkId, number>, count: number): HistoryRow[] {
  return Array.from({ length: count }, (_, i) => {
    const network: NetworkId = i % 3 === 0 ? 'sidechain' : 'bitcoin';
    const out = i % 2 === 0;
    return row(roll, {
      network, kind: out ? 'sent' : 'received', ago: 1_000 + i * 311, confirmations: 3 + i, fee: out ? 1_200n : 0n,
      moved: [[network === 'bitcoin' ? BTC : LBTC, BigInt(1_000 + Math.floor(roll() * 90_000_000)), out]],
      label: i % 7 === 0 ? `Order ${100_000 + i}` : '',
    }, height);
  });
}

export function operations(roll: () => number): OperationView[] {
  const pay = address(roll, 'bitcoin');
  return [
    {
      operation: 2, kind: 'peg-in', status: 'running', amount: { asset: BTC, amount: '25000000' },
      steps: [
        { step: 'signed', state: 'done', time: NOW - 800, height: null }, { step: 'broadcast', state: 'done', time: NOW - 798, height: null }, { step: 'funded', state: 'done', time: NOW - 780, height: 1278 },
        { step: 'depth', state: 'current', time: null, height: null }, { step: 'claimed', state: 'ahead', time: null, height: null },
        { step: 'spendable', state: 'ahead', time: null, height: null },
      ],
      no_return: 0, done: 7, of: 10, counts: 'bitcoin', eta: 1_560, can: ['hold'], valid_until: 21_599, address: pay, qr: [],
      bitcoin_txid: hex(roll), sidechain_txid: null, arrives: '24997380', started: NOW - 800, finished: null, why: null, label: '',
    },
    {
      operation: 3, kind: 'peg-out', status: 'waiting', amount: { asset: LBTC, amount: '10000000' },
      steps: [
        { step: 'signed', state: 'done', time: NOW - DAY - 9_100, height: null }, { step: 'broadcast', state: 'done', time: NOW - DAY - 9_090, height: null },
        { step: 'burned', state: 'done', time: NOW - DAY - 9_000, height: 15_947 }, { step: 'paid-on-bitcoin', state: 'current', time: null, height: null }, { step: 'final', state: 'ahead', time: null, height: null },
      ],
      no_return: 0, done: 0, of: 1, counts: 'bitcoin', eta: 420, can: [], valid_until: null, address: pay, qr: [], bitcoin_txid: null,
      sidechain_txid: hex(roll), arrives: '9998600', started: NOW - DAY - 9_100, finished: null, why: null, label: '',
    },
    {
      operation: 1, kind: 'peg-in', status: 'done', amount: { asset: BTC, amount: '50000000' },
      steps: (['signed', 'broadcast', 'funded', 'depth', 'claimed', 'spendable'] as const).map((step, i) => ({ step, state: 'done', time: NOW - 18 * DAY + i * 900, height: null })),
      no_return: 0, done: 1, of: 1, counts: 'sidechain', eta: null, can: [], valid_until: 18_000, address: address(roll, 'bitcoin'), qr: [],
      bitcoin_txid: hex(roll), sidechain_txid: hex(roll), arrives: '49998000', started: NOW - 18 * DAY, finished: NOW - 18 * DAY + 5_400, why: null, label: '',
    },
  ];
}

const step = (roll: () => number, ago: number, event: SupplyStep['event'], amount: bigint, after: bigint): SupplyStep => ({
  time: NOW - ago, height: 18_407 - Math.floor(ago / 600), event, amount: amount.toString(), after: after.toString(), txid: hex(roll),
});

export function begin(scenario: Scenario): State {
  const roll = dice(20261121);
  const height: Record<NetworkId, number> = { bitcoin: 1_284, sidechain: scenario === 'halted' ? 18_406 : 18_407 };
  const bare = scenario === 'fresh' || scenario === 'empty';
  const name = scenario === 'long' ? 'The wallet of the harbour office, opened in November for the bond of 2027' : 'Harbour wallet';
  const wallet: WalletView = {
    id: 1, name, fingerprint: scenario === 'watch' ? '' : '73c5da0a', watch_only: scenario === 'watch', no_password: scenario !== 'locked',
    backed_up: scenario !== 'full',
  };
  const sidechain = (asset: AssetLabel, amount: bigint, label: string, more: Partial<CoinView> = {}) => coin(roll, 'sidechain', asset, amount, label, more);
  const bitcoin = (amount: bigint, label: string, more: Partial<CoinView> = {}) => coin(roll, 'bitcoin', BTC, amount, label, more);
  const state: State = {
    scenario,
    audit: scenario === 'empty' ? 'off' : scenario === 'offline' ? 'paused' : 'on',
    rolledBack: scenario === 'paused',
    wallets: scenario === 'fresh' ? [] : [wallet],
    selected: scenario === 'fresh' ? null : 1,
    unlocked: scenario !== 'locked' && scenario !== 'watch' && scenario !== 'fresh',
    password: scenario === 'locked' ? 'harbour' : '',
    tries: 0,
    settings: settings(),
    height,
    coins: bare
      ? { bitcoin: [], sidechain: [] }
      : {
          bitcoin: [
            bitcoin(90_000_000n, 'Sandbox'), bitcoin(23_450_622n, ''), bitcoin(12_000_000n, 'Quay & Sons'),
            bitcoin(3_000_000n, 'Skerry Trust', { known: 'pending', confirmations: 0, height: null }), bitcoin(546n, 'Carries a colour', { frozen: true }),
          ],
          sidechain: [
            sidechain(LBTC, 18_000_000n, 'Peg-in, 3 Nov'), sidechain(LBTC, 12_000_000n, scenario === 'long' ? LONG : 'Quay & Sons'),
            sidechain(LBTC, 23_000_000n, 'Swap, 8 Nov'), sidechain(LBTC, 9_481_240n, ''), sidechain(LBTC, 12_500_000n, 'Skerry Trust'),
            sidechain(LBTC, 4_000_000n, 'Unsorted', { known: 'pending', confirmations: 0, height: null }),
            sidechain(HBR27, 42_500_000n, ''), sidechain(HBR27_TOKEN, 1n, ''), sidechain(PEARL, 1_240n, 'Prize'),
            sidechain(FAKE, 99_999_900n, 'From a stranger', { frozen: true }),
          ],
        },
    history: bare ? [] : [...LINES.map((line) => row(roll, scenario === 'long' && line.label ? { ...line, label: LONG } : line, height))],
    accounts: [],
    operations: bare ? [] : operations(roll),
    supply: bare
      ? {}
      : {
          [HBR27.id]: [
            step(roll, 30 * DAY, 'issue', 100_000_000n, 100_000_000n), step(roll, 15 * DAY, 'reissue', 25_000_000n, 125_000_000n),
            step(roll, 8 * DAY, 'burn', 3_750_000n, 121_250_000n), step(roll, DAY + 4_000, 'burn', 5_000_000n, 116_250_000n),
          ],
        },
    issued: new Set(bare ? [] : [HBR27.id]),
    labels: new Map(),
    roll,
  };
  if (scenario === 'many') state.history = [...state.history, ...many(roll, height, 100_000 - state.history.length)];
  if (scenario === 'halted')
    state.operations = state.operations.map((o) =>
      o.operation === 2 ? { ...o, status: 'stuck', why: { code: 'halted', args: { network: 'sidechain' } }, can: ['hold'] } : o);
  for (const network of ['bitcoin', 'sidechain'] as const)
    for (let index = 0; index < (bare ? 0 : 8); index += 1)
      state.accounts.push({ network, index, change: index % 4 === 3, used: index < 6, label: index === 1 ? 'Tidewater Ltd' : '', address: address(roll, network) });
  return state;
}

export { qr };
