// The issuer's desk of the world in memory.
import type { Commands, DistributionPreview, DistributionRequest, AssetHolder, OfferView, RedemptionPayment, RedemptionView, RowFault } from '../bindings';
import type { Request } from '../host';
import { FAKE, HBR27, LBTC, address, hex, qr } from './assets';
import { refuse, type World } from './world';

type Part = 'distribution_read' | 'distribution_plan' | 'distribution' | 'distribution_report' | 'holders' | 'holder_mark' | 'supply_proof' | 'redemptions' | 'redemption_new' | 'redemption_plan' | 'redemption_ledger' | 'registry_lookup' | 'registry_publish' | 'offers' | 'offer_plan' | 'offer_cancel' | 'swap_inspect' | 'swap_take';
type Handlers = { [C in Part]: (request: Request<C>) => Commands[C]['answer'] };
const BATCH = 75;

export class DeskOfMock {
  /** Rows of each distribution, by operation. */
  readonly lists = new Map<number, { rows: { address: string; amount: bigint }[]; asset: string; fee: bigint }>();
  private readonly marks = new Map<string, { frozen: boolean; label: string }>();

  readonly offers: OfferView[] = [];
  private begun = false;
  readonly requests: RedemptionView[] = [];
  /** Assets that the registry knows. */
  readonly registered = new Set<string>([FAKE.id]);

  constructor(private readonly world: World) {}

  /** The requests; the first look makes those that the world begins with. */
  private seen(): RedemptionView[] {
    const { scenario } = this.world;
    if (!this.begun && (scenario === 'full' || scenario === 'halted' || scenario === 'long')) this.begin();
    this.begun = true;
    return this.requests;
  }

  /** A desk with one request of each kind. */
  private begin(): void {
    const roll = this.world.state.roll;
    const payment = (amount: string, state: RedemptionPayment['state'], more: Partial<RedemptionPayment> = {}): RedemptionPayment => ({
      outpoint: `${hex(roll)}:0`, asset: HBR27, amount, time: this.world.now - 7_200, height: state === 'pending' ? null : 18_300, known: state === 'pending' ? 'pending' : 'verified', state,
      txid: state === 'accepted' || state === 'returned' ? hex(roll) : null, ...more,
    });
    const request = (reference: string, payments: RedemptionPayment[]): RedemptionView => {
      const to = address(roll, 'sidechain');
      return { redemption: this.requests.length + 1, asset: HBR27, reference, address: to, qr: qr(to), return_address: address(roll, 'sidechain'), created: this.world.now - 86_400, payments };
    };
    this.requests.push(request('R-17', [payment('250000', 'open')]));
    this.requests.push(request('R-16', [payment('100000', 'accepted'), payment('5000000', 'open', { asset: LBTC })]));
    this.requests.push(request('R-15', []));
  }

  private read({ asset: id, csv, allow_explicit }: DistributionRequest): DistributionPreview & { list: { address: string; amount: bigint }[] } {
    const asset = this.world.asset(id);
    const faults: RowFault[] = [];
    const seen = new Map<string, number>();
    const list: { address: string; amount: bigint }[] = [];
    for (const [index, line] of csv.split('\n').entries()) {
      const row = index + 1;
      const bad = (why: RowFault['why'], figure = '') => faults.push({ row, why, figure });
      const [address = '', amount = '', label = ''] = line.trim().split(',').map((f) => f.trim());
      if (line.trim() === '' || (row === 1 && /^[a-z ]+$/i.test(amount))) continue;
      const places = amount.split('.')[1]?.length ?? 0;
      if ([address, amount, label].some((f) => /^[=+@-]/.test(f))) bad('formula');
      else if (/^bcrt1/.test(address)) bad('network');
      else if (/^ert1/.test(address) && !allow_explicit) bad('explicit');
      else if (!/^(el1|ert1)/.test(address)) bad('address');
      else if (seen.has(address)) bad('duplicate', String(seen.get(address)));
      else if (this.marks.get(address)?.frozen) bad('frozen');
      else if (!/^\d+(\.\d+)?$/.test(amount)) bad('amount');
      else if (places > asset.precision) bad('precision', String(asset.precision));
      else {
        const atoms = BigInt(amount.replace('.', '') + '0'.repeat(asset.precision - places));
        if (atoms === 0n) bad('zero');
        seen.set(address, row);
        list.push({ address, amount: atoms });
      }
    }
    const total = list.reduce((sum, r) => sum + r.amount, 0n);
    const balance = this.world.balance('sidechain', asset);
    const available = balance ? BigInt(balance.confirmed) - BigInt(balance.frozen) : 0n;
    const good = faults.length === 0;
    const fee = BigInt(good ? list.length * 90 + 300 : 0);
    return {
      asset, rows: good ? list.length : 0, total: (good ? total : 0n).toString(), available: available.toString(), transactions: good ? Math.ceil(list.length / BATCH) : 0,
      weight: good ? list.length * 4_860 : 0, vsize: Number(fee) * 10, fee: fee.toString(), most_fee: (fee * 2n + (good ? 1_000n : 0n)).toString(), faults,
      refused: good && total > available ? refuse('insufficient-funds', { asset: id, available: available.toString(), needed: total.toString() }) : null, list,
    };
  }

  readonly handlers: Handlers = {
    distribution_read: (request) => {
      const { list: _, ...preview } = this.read(request);
      return preview;
    },
    distribution_plan: (request) => {
      const { list, faults, refused, fee } = this.read(request);
      if (faults[0]) throw refuse('bad-row', { row: String(faults[0].row), why: faults[0].why });
      if (refused) throw refused;
      const asset = this.world.asset(request.asset);
      return this.world.drafts.distribute(asset, list, request.label, (operation) => this.lists.set(operation, { rows: list, asset: request.asset, fee: BigInt(fee) }));
    },
    distribution: ({ operation }) => {
      const found = this.lists.get(operation);
      const view = this.world.state.operations.find((o) => o.operation === operation);
      if (!found || !view) throw refuse('not-found', { what: 'operation' });
      const transactions = Math.ceil(found.rows.length / BATCH);
      const total = found.rows.reduce((sum, r) => sum + r.amount, 0n).toString();
      return {
        operation, asset: this.world.asset(found.asset), rows: found.rows.length, rows_paid: found.rows.length, total, paid: total, fee: found.fee.toString(),
        most_fee: (found.fee * 2n).toString(), transactions,
        batches: Array.from({ length: transactions }, (_, i) => ({ txid: `${i}`.padStart(64, '0'), rows: Math.min(BATCH, found.rows.length - i * BATCH), fee: '900', height: view.finished === null ? null : 18_000 + i })),
      };
    },
    distribution_report: ({ operation }) => ({ name: `causeway-distribution-${operation}.csv`, text: 'row,address,amount,label,state,txid,height\r\n' }),
    supply_proof: ({ txid, link }) => ({ name: `causeway-proof-${txid.slice(0, 8)}.${link ? 'txt' : 'json'}`, text: link ? `causeway-proof:${txid}` : '{}' }),
    redemptions: ({ asset }) => this.seen().filter((r) => r.asset.id === asset),
    redemption_new: ({ asset, reference, return_address }) => {
      if (reference === '') throw refuse('bad-request', { field: 'reference' });
      if (return_address !== '' && !/^el1/.test(return_address)) throw refuse('bad-address');
      const to = address(this.world.state.roll, 'sidechain');
      const made: RedemptionView = { redemption: this.seen().length + 1, asset: this.world.asset(asset), reference, address: to, qr: qr(to), return_address, created: this.world.now, payments: [] };
      this.requests.unshift(made);
      return made;
    },
    redemption_plan: ({ outpoint, accept, address: to }) => {
      const request = this.seen().find((r) => r.payments.some((p) => p.outpoint === outpoint));
      const payment = request?.payments.find((p) => p.outpoint === outpoint);
      if (!request || payment?.state !== 'open') throw refuse('coin-unavailable', { outpoint });
      if (accept && payment.asset.id !== request.asset.id) throw refuse('unknown-asset', { asset: payment.asset.id });
      return this.world.drafts.redeem(payment.asset, BigInt(payment.amount), accept ? null : to || request.return_address, request.reference, () => {
        payment.state = accept ? 'accepted' : 'returned';
        payment.txid = hex(this.world.state.roll);
      });
    },
    redemption_ledger: ({ asset }) => ({ name: `causeway-redemptions-${asset.slice(0, 8)}.csv`, text: 'created,reference\r\n' }),
    registry_lookup: ({ asset: id }) => {
      const registries = ['https://assets.example'];
      if (!this.registered.has(id)) return { asset: id, registries, claim: null };
      const label = this.world.asset(id);
      const domain = id === FAKE.id ? 'harbour-bonds.example.net' : 'harbour-bonds.example';
      return {
        asset: id, registries,
        claim: {
          registry: registries[0]!, interface: 'v1', label, domain, domain_proof_url: `https://${domain}/.well-known/liquid-asset-proof-${id}`, contract: '{}', issuance_prevout: `${id}:0`,
          taken: id === HBR27.id, warnings: id === FAKE.id ? ['look-alike'] : [],
        },
      };
    },
    registry_publish: ({ asset }) => {
      if (this.registered.has(asset)) throw refuse('registry-refused', { registry: 'https://assets.example', status: '409' });
      this.registered.add(asset);
      return { registry: 'https://assets.example', interface: 'v1' };
    },
    offers: () => this.offers,
    offer_plan: ({ coin, asset, amount }) => {
      const found = this.world.state.coins.sidechain.find((c) => c.outpoint === coin);
      if (!found || found.height === null) throw refuse('coin-unavailable', { outpoint: coin });
      const gives = { asset: found.asset, amount: found.amount };
      const gets = { asset: this.world.asset(asset), amount };
      return this.world.drafts.offer(gives, gets, (operation) => this.offers.unshift({ operation, gives, gets, coin, text: JSON.stringify({ version: 1, gives, gets, coin }), status: 'running' }));
    },
    offer_cancel: ({ operation }) => {
      const found = this.offers.find((o) => o.operation === operation && o.status === 'running');
      if (!found) throw refuse('coin-unavailable', { outpoint: '' });
      return this.world.drafts.redeem(found.gives.asset, BigInt(found.gives.amount), address(this.world.state.roll, 'sidechain'), '', () => (found.status = 'stopped'));
    },
    swap_inspect: ({ text }) => {
      if (text.includes('lies')) throw refuse('draft-lies', { why: 'input-amount' });
      const { gives, gets, coin } = this.readOffer(text);
      return { you_get: gives, you_pay: gets, coin, height: 18_200, own: this.offers.some((o) => o.coin === coin) };
    },
    swap_take: ({ text }) => {
      const { gets } = this.readOffer(text);
      return this.world.drafts.take(gets.asset, BigInt(gets.amount));
    },
    holders: ({ asset }) => this.holders(asset),
    holder_mark: ({ asset, address, frozen, label }) => {
      if (!/^(el1|ert1)/.test(address)) throw refuse('bad-address');
      this.marks.set(address, { frozen, label });
      this.world.state.labels.set(address, label);
      return this.holders(asset);
    },
  };

  private readOffer(text: string): Pick<OfferView, 'gives' | 'gets' | 'coin'> {
    try {
      return JSON.parse(text) as OfferView;
    } catch {
      throw refuse('bad-draft');
    }
  }

  private holders(id: string): AssetHolder[] {
    const asset = this.world.asset(id);
    const paid = new Map<string, { sum: bigint; times: number; last: number }>();
    for (const row of this.world.state.history)
      for (const moved of row.moved)
        if (moved.asset.id === id && moved.out && row.kind === 'sent' && row.counterparty) {
          const before = paid.get(row.counterparty) ?? { sum: 0n, times: 0, last: 0 };
          paid.set(row.counterparty, { sum: before.sum + BigInt(moved.amount), times: before.times + 1, last: Math.max(before.last, row.time) });
        }
    return [...new Set([...paid.keys(), ...this.marks.keys()])].map((address) => {
      const { sum, times, last } = paid.get(address) ?? { sum: 0n, times: 0, last: 0 };
      return { address, asset, label: this.world.state.labels.get(address) ?? '', paid: sum.toString(), times, last: times > 0 ? last : null, frozen: this.marks.get(address)?.frozen ?? false };
    });
  }
}
