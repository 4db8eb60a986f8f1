//! Orders and dispensers.
//!
//! An order puts what it gives aside, meets older orders at their price, and gives back what is left when it expires or is taken back. A
//! dispenser sells whole portions to whoever pays its address bitcoin with a message that says so.

use super::{Holder, Ledger, Outcome, Spoken, address};
use bitcoin::Txid;
use causeway_colored::counterparty::AssetId;

/// An offer of one asset for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) txid: Txid,
    pub(crate) source: String,
    pub(crate) give: AssetId,
    pub(crate) get: AssetId,
    /// As it was made: its price.
    price: (u64, u64),
    pub(crate) give_left: u64,
    pub(crate) get_left: u64,
    /// The last block in which it stands; none for ever.
    pub(crate) expires: Option<u32>,
    /// `open`, `filled`, `cancelled` or `expired`.
    pub(crate) status: &'static str,
}

/// A sale of portions for bitcoin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dispenser {
    pub(crate) txid: Txid,
    pub(crate) source: String,
    pub(crate) asset: AssetId,
    /// Units of one portion.
    pub(crate) portion: u64,
    pub(crate) escrow: u64,
    pub(crate) left: u64,
    /// Satoshis of one portion.
    pub(crate) rate: u64,
    pub(crate) open: bool,
}

/// `a * b / c`, rounded down; what is above 64 bits is nothing that anybody holds.
fn share(a: u64, b: u64, c: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) / u128::from(c.max(1))).unwrap_or(u64::MAX)
}

impl Ledger {
    /// What stood until the block before this one is given back.
    pub(super) fn expire(&mut self, height: u32) {
        let over = |order: &Order| order.status == "open" && order.expires.is_some_and(|last| last < height);
        for at in 0..self.orders.len() {
            if over(&self.orders[at]) {
                self.give_back(at, "expired");
            }
        }
    }

    fn give_back(&mut self, at: usize, status: &'static str) {
        let order = &mut self.orders[at];
        order.status = status;
        let (asset, to, left) = (order.give, order.source.clone(), std::mem::take(&mut order.give_left));
        if left > 0 {
            self.credit(asset, Holder::Address(to), left);
        }
    }

    pub(super) fn order(&mut self, spoken: Spoken<'_>, [give, get]: [(AssetId, u64); 2], blocks: u16) -> Outcome {
        let Spoken { txid, height, source, .. } = spoken;
        if give.0 == AssetId::BTC || get.0 == AssetId::BTC {
            return Err("not understood here");
        }
        if give.0 == get.0 || give.1 == 0 || get.1 == 0 {
            return Err("malformed");
        }
        self.debit(give.0, source, give.1)?;
        let expires = (blocks > 0).then(|| height.saturating_add(u32::from(blocks)));
        let mut order = Order {
            txid,
            source: source.to_owned(),
            give: give.0,
            get: get.0,
            price: (give.1, get.1),
            give_left: give.1,
            get_left: get.1,
            expires,
            status: "open",
        };
        self.meet(&mut order);
        self.orders.push(order);
        let last = self.orders.len() - 1;
        if self.orders[last].get_left == 0 || self.orders[last].give_left == 0 {
            self.give_back(last, "filled");
        }
        Ok(())
    }

    /// Trades with older orders that give what is wanted for no more than is offered: the cheapest first, then the oldest, at their price.
    fn meet(&mut self, order: &mut Order) {
        let (offered, wanted) = order.price;
        let fits = |other: &Order| {
            let (gives, gets) = other.price;
            let opposite = other.status == "open" && other.give == order.get && other.get == order.give;
            // gets / gives <= offered / wanted
            opposite && u128::from(gets) * u128::from(wanted) <= u128::from(offered) * u128::from(gives)
        };
        let mut matching: Vec<usize> = (0..self.orders.len()).filter(|at| fits(&self.orders[*at])).collect();
        matching.sort_by(|a, b| {
            let ((gives_a, gets_a), (gives_b, gets_b)) = (self.orders[*a].price, self.orders[*b].price);
            (u128::from(gets_a) * u128::from(gives_b)).cmp(&(u128::from(gets_b) * u128::from(gives_a)))
        });
        for at in matching {
            let other = &self.orders[at];
            let (gives, gets) = other.price;
            let got = other.give_left.min(order.get_left).min(share(order.give_left, gives, gets));
            let paid = share(got, gets, gives).min(order.give_left);
            if got == 0 || paid == 0 {
                continue;
            }
            let maker = other.source.clone();
            self.credit(order.get, Holder::Address(order.source.clone()), got);
            self.credit(order.give, Holder::Address(maker), paid);
            (order.get_left, order.give_left) = (order.get_left - got, order.give_left - paid);
            let other = &mut self.orders[at];
            (other.give_left, other.get_left) = (other.give_left - got, other.get_left.saturating_sub(paid));
            if other.give_left == 0 || other.get_left == 0 {
                self.give_back(at, "filled");
            }
            if order.get_left == 0 || order.give_left == 0 {
                break;
            }
        }
    }

    pub(super) fn cancel(&mut self, source: &str, offer: Txid) -> Outcome {
        let at = self.orders.iter().position(|order| order.txid == offer && order.status == "open").ok_or("no open offer")?;
        if self.orders[at].source != source {
            return Err("incorrect source address");
        }
        self.give_back(at, "cancelled");
        Ok(())
    }

    pub(super) fn open_dispenser(&mut self, spoken: Spoken<'_>, asset: AssetId, [portion, escrow, rate]: [u64; 3]) -> Outcome {
        let Spoken { txid, source, .. } = spoken;
        if asset == AssetId::BTC || portion == 0 || rate == 0 || escrow < portion {
            return Err("malformed");
        }
        let same = |known: &&mut Dispenser| known.open && known.source == source && known.asset == asset;
        if self.dispensers.iter_mut().find(same).is_some_and(|known| (known.portion, known.rate) != (portion, rate)) {
            return Err("address has a dispenser already opened");
        }
        self.debit(asset, source, escrow)?;
        match self.dispensers.iter_mut().find(same) {
            Some(known) => {
                known.escrow = known.escrow.saturating_add(escrow);
                known.left = known.left.saturating_add(escrow);
            }
            None => {
                let source = source.to_owned();
                self.dispensers.push(Dispenser { txid, source, asset, portion, escrow, left: escrow, rate, open: true });
            }
        }
        Ok(())
    }

    /// Elsewhere this takes some blocks; here it is done at once.
    pub(super) fn close_dispenser(&mut self, source: &str, asset: AssetId) -> Outcome {
        let same = |known: &Dispenser| known.open && known.source == source && known.asset == asset;
        let at = self.dispensers.iter().position(same).ok_or("address doesn't have an open dispenser")?;
        let known = &mut self.dispensers[at];
        known.open = false;
        let left = std::mem::take(&mut known.left);
        if left > 0 {
            self.credit(asset, Holder::Address(source.to_owned()), left);
        }
        Ok(())
    }

    /// Whoever is paid by the first output sells, of every asset that he has a dispenser for.
    pub(super) fn dispense(&mut self, spoken: Spoken<'_>) -> Outcome {
        let Spoken { tx, source, .. } = spoken;
        let paid = tx.output.first().filter(|output| !output.script_pubkey.is_op_return()).ok_or("no destination")?;
        let seller = address(&paid.script_pubkey).ok_or("no destination")?;
        let mut sold = false;
        for at in 0..self.dispensers.len() {
            let known = &mut self.dispensers[at];
            if !known.open || known.source != seller {
                continue;
            }
            let portions = (paid.value.to_sat() / known.rate).min(known.left / known.portion);
            let units = portions.saturating_mul(known.portion);
            if units == 0 {
                continue;
            }
            known.left -= units;
            known.open = known.left >= known.portion;
            let (asset, rest) = (known.asset, if known.open { 0 } else { std::mem::take(&mut known.left) });
            self.credit(asset, Holder::Address(source.to_owned()), units);
            if rest > 0 {
                self.credit(asset, Holder::Address(seller.clone()), rest);
            }
            sold = true;
        }
        if sold { Ok(()) } else { Err("no open dispenser") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::absolute::LockTime;
    use bitcoin::hashes::Hash as _;
    use bitcoin::transaction::Version;
    use bitcoin::{Address, Amount, Network, ScriptBuf, Transaction, TxOut};

    const PEARL: u64 = 95_428_956_661_682_177;
    const SHELL: u64 = PEARL + 1;

    fn asset(number: u64) -> AssetId {
        AssetId::new(number).expect("an asset")
    }

    fn party(n: u8) -> (ScriptBuf, String) {
        let script = ScriptBuf::from_bytes([&[0x00, 0x14][..], &[n; 20]].concat());
        let address = Address::from_script(&script, Network::Regtest).expect("an address").to_string();
        (script, address)
    }

    fn holding(balances: &[(u64, &str, u64)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (number, holder, quantity) in balances {
            ledger.credit(asset(*number), Holder::Address((*holder).to_owned()), *quantity);
        }
        ledger
    }

    /// Says something in block `height`; `pays` is the first output.
    fn say(source: &str, n: u8, height: u32, pays: Option<(ScriptBuf, u64)>, act: impl FnOnce(Spoken<'_>) -> Outcome) -> Outcome {
        let output = pays.into_iter().map(|(script_pubkey, sat)| TxOut { value: Amount::from_sat(sat), script_pubkey });
        let tx = Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: Vec::new(), output: output.collect() };
        act(Spoken { tx: &tx, txid: Txid::from_byte_array([n; 32]), height, source, coins: &[] })
    }

    #[test]
    fn orders_meet_at_the_older_price_and_give_back_what_is_left() {
        let ((_, ada), (_, bert)) = (party(1), party(2));
        let (pearl, shell) = (asset(PEARL), asset(SHELL));
        let mut ledger = holding(&[(PEARL, &ada, 100), (SHELL, &bert, 1_000)]);
        say(&ada, 1, 10, None, |s| ledger.order(s, [(pearl, 100), (shell, 500)], 5)).expect("an order");
        assert_eq!(ledger.balance(pearl, &ada), 0, "put aside");
        // He would pay 6 for each; the older order asks for 5.
        say(&bert, 2, 11, None, |s| ledger.order(s, [(shell, 240), (pearl, 40)], 5)).expect("an order");
        assert_eq!((ledger.balance(pearl, &bert), ledger.balance(shell, &ada)), (40, 200));
        assert_eq!(ledger.balance(shell, &bert), 800, "what he offered too much comes back");
        assert_eq!((ledger.orders[0].give_left, ledger.orders[0].get_left, ledger.orders[1].status), (60, 300, "filled"));
        assert_eq!(ledger.cancel(&bert, ledger.orders[0].txid), Err("incorrect source address"));
        ledger.expire(15);
        assert_eq!(ledger.orders[0].status, "open");
        ledger.expire(16);
        assert_eq!((ledger.orders[0].status, ledger.balance(pearl, &ada)), ("expired", 60));
        assert_eq!(ledger.cancel(&ada, ledger.orders[0].txid), Err("no open offer"));
    }

    #[test]
    fn a_dispenser_sells_whole_portions_until_it_is_empty_or_closed() {
        let ((script, ada), (_, bert)) = (party(1), party(2));
        let pearl = asset(PEARL);
        let mut ledger = holding(&[(PEARL, &ada, 100)]);
        say(&ada, 1, 10, None, |s| ledger.open_dispenser(s, pearl, [10, 55, 1_000])).expect("opens");
        let other = say(&ada, 2, 10, None, |s| ledger.open_dispenser(s, pearl, [10, 45, 999]));
        assert_eq!(other, Err("address has a dispenser already opened"));
        say(&bert, 3, 11, Some((script.clone(), 2_900)), |s| ledger.dispense(s)).expect("two portions");
        assert_eq!(ledger.balance(pearl, &bert), 20);
        assert_eq!(say(&bert, 4, 11, Some((script.clone(), 999)), |s| ledger.dispense(s)), Err("no open dispenser"));
        say(&bert, 5, 12, Some((script, 90_000)), |s| ledger.dispense(s)).expect("the rest");
        assert_eq!((ledger.balance(pearl, &bert), ledger.balance(pearl, &ada)), (50, 50), "five units are no portion");
        assert_eq!(ledger.close_dispenser(&ada, pearl), Err("address doesn't have an open dispenser"));
    }

    #[test]
    fn a_sweep_takes_balances_and_assets_along() {
        let ((_, ada), (_, bert)) = (party(1), party(2));
        let mut ledger = holding(&[(PEARL, &ada, 7), (SHELL, &ada, 9), (SHELL, &bert, 1)]);
        ledger.sweep(&ada, &bert, 1);
        assert_eq!((ledger.balance(asset(PEARL), &bert), ledger.balance(asset(SHELL), &bert)), (7, 10));
        assert_eq!(ledger.balance(asset(SHELL), &ada), 0);
    }
}
