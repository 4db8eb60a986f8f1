// Coloured coins of the world in memory. Everything here is invented.
import type { AssetLabel, ColouredAsset, DraftView, HoldersView, LedgerBalance, LedgerEvent, LedgerOffer } from '../bindings';
import { address } from './assets';
import type { World } from './world';

const label = (id: string, precision: number): AssetLabel => ({ id, ticker: id.slice(0, 8), name: '', precision, named: false });
const BERTH = label('oMsYAJSAmVtdMEy4isBVdHWvPDy6tUVZYW', 0);
const TIDE = label('Ua9CgfGFKCVRdV4aUj4hYz2XtxCg4Smpu8TVAQ', 3);

const HELD: ColouredAsset[] = [
  { asset: BERTH, protocol: 'open-assets', confirmed: '9999000', pending: '0', coins: 2, known: 'verified', issued_here: true, can_reissue: true, can_burn: true },
  { asset: TIDE, protocol: 'colu', confirmed: '0', pending: '15000', coins: 1, known: 'pending', issued_here: false, can_reissue: false, can_burn: true },
];

export const coloured = (world: World): ColouredAsset[] => (world.scenario === 'full' || world.scenario === 'long' ? HELD : []);

export function holders(world: World, asset: string): HoldersView {
  const found = coloured(world).find((a) => a.asset.id === asset);
  const other = address(world.state.roll, 'bitcoin');
  return {
    asset: found?.asset ?? label(asset, 0), total: '10000000', from: 1, to: world.state.height.bitcoin,
    holders: [{ address: address(world.state.roll, 'bitcoin'), amount: '9999000', ours: true }, { address: other, amount: '1000', ours: false }],
  };
}

/** A transaction on Bitcoin that pays a small output and moves units. */
export function plan(world: World, asset: string, amount: string, to: string | null, rate: number | null): DraftView {
  const view = world.drafts.send({
    network: 'bitcoin', recipients: [{ address: to ?? address(world.state.roll, 'bitcoin'), amount: '546', asset: null }], fee_rate: rate, coins: null, drain: null, allow_explicit: false, label: '',
  });
  const named = coloured(world).find((a) => a.asset.id === asset)?.asset ?? label(asset, 0);
  return { ...view, asset, leaves: [{ asset: named, amount }, ...view.leaves] };
}

export const ledger = (world: World): LedgerBalance[] =>
  coloured(world).length === 0 ? [] : [{
    asset: { id: 'counterparty:A95428956661682177', ticker: 'A95428956661', name: 'HARBOUR.berths', precision: 0, named: false },
    address: 'bcrt1q6tc0msqt5r7j30tselwvxcrkegxcxvjpnla482', coin: null, amount: '120', known: 'reported',
  }];

const QUAY = 'bcrt1q6tc0msqt5r7j30tselwvxcrkegxcxvjpnla482';
const COIN: AssetLabel = { id: 'btc', ticker: 'BTC', name: 'Bitcoin', precision: 8, named: true };

export const ledgerHistory = (world: World): LedgerEvent[] =>
  ledger(world).length === 0 ? [] : [
    { txid: 'ab'.repeat(32), height: null, source: QUAY, kind: 'dispenser', valid: null, known: 'reported' },
    { txid: 'cd'.repeat(32), height: 184, source: QUAY, kind: 'issuance', valid: true, known: 'reported' },
    { txid: 'ef'.repeat(32), height: 190, source: QUAY, kind: 'enhanced_send', valid: false, known: 'reported' },
  ];

export function ledgerOffers(world: World): LedgerOffer[] {
  const [held] = ledger(world);
  return !held ? [] : [
    { txid: '12'.repeat(32), source: QUAY, dispenser: true, gives: held.asset, left: '90', portion: '10', gets: COIN, price: '250000', open: true, known: 'reported' },
    { txid: '34'.repeat(32), source: QUAY, dispenser: false, gives: held.asset, left: '5', portion: null, gets: { ...held.asset, id: 'counterparty:XCP', ticker: 'XCP', name: '', precision: 8 }, price: '500000000', open: true, known: 'reported' },
  ];
}
