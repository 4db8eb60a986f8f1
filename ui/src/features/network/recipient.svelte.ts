// One recipient in the making: what was pasted, what it is, how much of what.
import { host, type AssetLabel, type NetworkId, type Recognised, type Recipient } from '$/ipc';
import { parse, plain, type Parsed } from '$/kit/amount';

let next = 0;

export class Draft {
  readonly key = ++next;
  text = $state('');
  amount = $state('');
  /** Empty: the network's own coin. */
  asset = $state('');
  known = $state.raw<Recognised | null>(null);
  private asked = 0;

  /** Asks what was pasted; a payment link fills the amount. */
  async look(assets: readonly AssetLabel[]): Promise<void> {
    const mine = ++this.asked;
    const text = this.text.trim();
    if (text === '') {
      this.known = null;
      return;
    }
    const known = await host().invoke('recognise', { text }).catch(() => null);
    if (mine !== this.asked) return;
    this.known = known;
    if (known?.kind !== 'address' || known.amount === null || this.amount !== '') return;
    if (known.asset && assets.some((a) => a.id === known.asset?.id)) this.asset = known.asset.id;
    this.amount = plain(known.amount, known.asset?.precision ?? 8).replace(/\.?0+$/, '');
  }

  parsed(precision: number): Parsed {
    return parse(this.amount, precision);
  }

  /** The address is one that this network can pay. */
  payable(network: NetworkId): boolean {
    return this.known?.kind === 'address' && this.known.network === network;
  }

  recipient(precision: number): Recipient {
    const parsed = this.parsed(precision);
    return { address: this.known?.address || this.text.trim(), amount: parsed.ok ? parsed.atoms.toString() : '0', asset: this.asset === '' ? null : this.asset };
  }
}
