//! A small ledger of Counterparty messages, read from the real chain, behind the REST paths that its servers have.
//!
//! It understands issuances, sends, MPMA, sweeps, dividends, destructions, broadcasts, orders between assets and their cancelling, dispensers,
//! attachments and detachments, and that spending a coin with units bound to it moves them. Orders for bitcoin, fair minters and pools are read
//! and left alone. Nobody here has XCP, so what costs XCP elsewhere is free.

mod compose;
mod market;
pub(crate) mod service;

use bitcoin::{Address, Block, Network, OutPoint, ScriptBuf, Transaction, TxOut, Txid};
use causeway_colored::counterparty::message::{Description, Flags};
use causeway_colored::counterparty::{AssetId, Message, carrier};
use std::collections::{BTreeMap, HashMap};

/// Who holds units: an address, or a coin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    Address(String),
    /// With the address that the coin pays.
    Coin(OutPoint, String),
}

/// What an asset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asset {
    pub(crate) issuer: String,
    pub(crate) longname: Option<String>,
    pub(crate) divisible: bool,
    pub(crate) locked: bool,
    pub(crate) supply: u64,
    pub(crate) description: String,
}

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) txid: Txid,
    pub(crate) height: u32,
    pub(crate) source: String,
    pub(crate) kind: &'static str,
    /// `valid`, or why not.
    pub(crate) status: String,
}

/// Everything that the blocks up to one of them say.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    outputs: HashMap<OutPoint, TxOut>,
    pub(crate) balances: BTreeMap<(AssetId, Holder), u64>,
    pub(crate) assets: BTreeMap<AssetId, Asset>,
    pub(crate) events: Vec<Event>,
    pub(crate) orders: Vec<market::Order>,
    pub(crate) dispensers: Vec<market::Dispenser>,
}

/// A message in its transaction.
#[derive(Clone, Copy)]
struct Spoken<'a> {
    tx: &'a Transaction,
    txid: Txid,
    height: u32,
    source: &'a str,
    coins: &'a [OutPoint],
}

type Outcome = Result<(), &'static str>;

fn address(script: &ScriptBuf) -> Option<String> {
    Address::from_script(script, Network::Regtest).ok().map(|address| address.to_string())
}

impl Ledger {
    /// Takes the next block in.
    pub(crate) fn take(&mut self, height: u32, block: &Block) {
        self.expire(height);
        for tx in &block.txdata {
            self.transaction(height, tx);
        }
    }

    fn transaction(&mut self, height: u32, tx: &Transaction) {
        let txid = tx.compute_txid();
        let source = tx.input.first().and_then(|input| self.outputs.get(&input.previous_output));
        let source = source.and_then(|output| address(&output.script_pubkey));
        let message = carrier::find(tx).map(|carried| Message::read(&carried.message));
        let detaches = matches!(message, Some(Ok(Message::Detach { .. })));
        let coins: Vec<OutPoint> = tx.input.iter().map(|input| input.previous_output).collect();
        if !detaches {
            self.move_bound(tx, txid, &coins);
        }
        if let (Some(Ok(message)), Some(source)) = (&message, source) {
            let status = self
                .message(Spoken { tx, txid, height, source: &source, coins: &coins }, message)
                .err()
                .unwrap_or("valid")
                .to_owned();
            self.events.push(Event { txid, height, source, kind: kind(message), status });
        }
        for coin in &coins {
            self.outputs.remove(coin);
        }
        for (vout, output) in (0..).zip(&tx.output) {
            self.outputs.insert(OutPoint { txid, vout }, output.clone());
        }
    }

    /// Units bound to the inputs go to the first output without data, whatever the transaction is about.
    fn move_bound(&mut self, tx: &Transaction, txid: Txid, coins: &[OutPoint]) {
        let first = tx.output.iter().position(|output| !output.script_pubkey.is_op_return());
        for (asset, holder, quantity) in self.bound(coins) {
            self.balances.remove(&(asset, holder.clone()));
            let Holder::Coin(_, was) = holder else { continue };
            let to = match first.and_then(|vout| Some((u32::try_from(vout).ok()?, &tx.output[vout].script_pubkey))) {
                Some((vout, script)) => Holder::Coin(OutPoint { txid, vout }, address(script).unwrap_or_default()),
                None => Holder::Address(was),
            };
            self.credit(asset, to, quantity);
        }
    }

    fn bound(&self, coins: &[OutPoint]) -> Vec<(AssetId, Holder, u64)> {
        let of = |(asset, holder): &(AssetId, Holder)| {
            matches!(holder, Holder::Coin(coin, _) if coins.contains(coin)).then(|| (*asset, holder.clone()))
        };
        self.balances.iter().filter_map(|(key, quantity)| of(key).map(|(asset, holder)| (asset, holder, *quantity))).collect()
    }

    pub(crate) fn balance(&self, asset: AssetId, source: &str) -> u64 {
        self.balances.get(&(asset, Holder::Address(source.to_owned()))).copied().unwrap_or(0)
    }

    fn credit(&mut self, asset: AssetId, to: Holder, quantity: u64) {
        let sum = self.balances.entry((asset, to)).or_default();
        *sum = sum.saturating_add(quantity);
    }

    fn debit(&mut self, asset: AssetId, source: &str, quantity: u64) -> Outcome {
        let key = (asset, Holder::Address(source.to_owned()));
        let left = self.balances.get(&key).copied().unwrap_or(0).checked_sub(quantity).ok_or("insufficient funds")?;
        match left {
            0 => drop(self.balances.remove(&key)),
            left => drop(self.balances.insert(key, left)),
        }
        Ok(())
    }

    fn message(&mut self, spoken: Spoken<'_>, message: &Message) -> Outcome {
        let Spoken { tx, txid, source, coins, .. } = spoken;
        match message {
            Message::Issuance { asset, quantity, flags, description, .. } => {
                self.issue(source, *asset, *quantity, *flags, description, None)
            }
            Message::SubassetIssuance { asset, quantity, flags, description, longname, .. } => {
                self.issue(source, *asset, *quantity, *flags, description, Some(longname))
            }
            Message::EnhancedSend { asset, quantity, destination, .. } => {
                let to = destination.address(Network::Regtest).ok_or("no destination")?.to_string();
                self.debit(*asset, source, *quantity)?;
                self.credit(*asset, Holder::Address(to), *quantity);
                Ok(())
            }
            Message::Mpma(mpma) => self.send_many(source, mpma),
            Message::Dividend { quantity_per_unit, asset, dividend_asset } => {
                self.dividend(source, *asset, *dividend_asset, *quantity_per_unit)
            }
            Message::Destroy { asset, quantity, .. } => {
                self.debit(*asset, source, *quantity)?;
                if let Some(known) = self.assets.get_mut(asset) {
                    known.supply = known.supply.saturating_sub(*quantity);
                }
                Ok(())
            }
            Message::Broadcast { .. } => Ok(()),
            Message::Sweep { destination, flags, .. } => {
                let to = destination.address(Network::Regtest).ok_or("no destination")?.to_string();
                self.sweep(source, &to, *flags);
                Ok(())
            }
            Message::Order { give, give_quantity, get, get_quantity, expiration, .. } => {
                self.order(spoken, [(*give, *give_quantity), (*get, *get_quantity)], *expiration)
            }
            Message::Cancel { offer } => self.cancel(source, *offer),
            Message::Dispenser { asset, give_quantity, escrow_quantity, satoshi_rate, status, .. } => match status {
                0 => self.open_dispenser(spoken, *asset, [*give_quantity, *escrow_quantity, *satoshi_rate]),
                10 => self.close_dispenser(source, *asset),
                _ => Err("not understood here"),
            },
            Message::Dispense => self.dispense(spoken),
            Message::Attach { asset, quantity, vout } => {
                let asset = AssetId::parse(asset).map_err(|_| "no such asset")?;
                let first = tx.output.iter().position(|output| !output.script_pubkey.is_op_return());
                let vout = vout.map_or(first, |vout| usize::try_from(vout).ok()).ok_or("no output to attach to")?;
                let output = tx.output.get(vout).filter(|output| !output.script_pubkey.is_op_return());
                let to = address(&output.ok_or("no output to attach to")?.script_pubkey).unwrap_or_default();
                self.debit(asset, source, *quantity)?;
                let vout = u32::try_from(vout).map_err(|_| "no output to attach to")?;
                self.credit(asset, Holder::Coin(OutPoint { txid, vout }, to), *quantity);
                Ok(())
            }
            Message::Detach { destination } => {
                for (asset, holder, quantity) in self.bound(coins) {
                    self.balances.remove(&(asset, holder.clone()));
                    let Holder::Coin(_, own) = holder else { continue };
                    let to = destination.clone().unwrap_or(own);
                    self.credit(asset, Holder::Address(to), quantity);
                }
                Ok(())
            }
            _ => Err("not understood here"),
        }
    }

    fn issue(
        &mut self,
        source: &str,
        asset: AssetId,
        quantity: u64,
        flags: Flags,
        description: &Description,
        longname: Option<&String>,
    ) -> Outcome {
        if asset == AssetId::BTC || asset == AssetId::XCP {
            return Err("cannot issue that");
        }
        let known = self.assets.entry(asset).or_insert_with(|| Asset {
            issuer: source.to_owned(),
            longname: longname.cloned(),
            divisible: flags.divisible,
            locked: false,
            supply: 0,
            description: String::new(),
        });
        if known.issuer != source {
            return Err("issued by another address");
        }
        if known.divisible != flags.divisible {
            return Err("cannot change divisibility");
        }
        if known.locked && quantity > 0 {
            return Err("locked asset and non-zero quantity");
        }
        known.supply = known.supply.checked_add(quantity).ok_or("total quantity overflow")?;
        known.locked |= flags.lock;
        if let Some(text) = &description.text {
            known.description = String::from_utf8_lossy(text).into_owned();
        }
        if quantity > 0 {
            self.credit(asset, Holder::Address(source.to_owned()), quantity);
        }
        Ok(())
    }

    /// Everything that the address holds, everything that it issues, or both; what is bound to coins stays.
    fn sweep(&mut self, source: &str, to: &str, flags: u8) {
        if flags & 1 != 0 {
            let own = Holder::Address(source.to_owned());
            let held: Vec<AssetId> = self.balances.keys().filter(|(_, holder)| *holder == own).map(|(asset, _)| *asset).collect();
            for asset in held {
                if let Some(quantity) = self.balances.remove(&(asset, own.clone())) {
                    self.credit(asset, Holder::Address(to.to_owned()), quantity);
                }
            }
        }
        if flags & 2 != 0 {
            self.assets.values_mut().filter(|asset| asset.issuer == source).for_each(|asset| asset.issuer = to.to_owned());
        }
    }

    fn send_many(&mut self, source: &str, mpma: &causeway_colored::counterparty::Mpma) -> Outcome {
        let mut sends = Vec::new();
        for (asset, shares) in &mpma.lists {
            let mut sum = 0u64;
            for share in shares {
                let (destination, _) = mpma.destinations.get(share.to).ok_or("no destination")?;
                let to = destination.address(Network::Regtest).ok_or("no destination")?.to_string();
                sum = sum.checked_add(share.quantity).ok_or("insufficient funds")?;
                sends.push((*asset, to, share.quantity));
            }
            if self.balance(*asset, source) < sum {
                return Err("insufficient funds");
            }
        }
        for (asset, to, quantity) in sends {
            self.debit(asset, source, quantity)?;
            self.credit(asset, Holder::Address(to), quantity);
        }
        Ok(())
    }

    /// Everybody but the payer, by units; units bound to a coin count for the address of the coin.
    fn dividend(&mut self, source: &str, asset: AssetId, pays: AssetId, per_unit: u64) -> Outcome {
        let known = self.assets.get(&asset).ok_or("no such asset")?;
        if known.issuer != source {
            return Err("only issuer can pay dividends");
        }
        // A divisible asset counts whole units of 10^8.
        let unit = if known.divisible { 100_000_000u128 } else { 1 };
        let mut shares: BTreeMap<String, u64> = BTreeMap::new();
        for ((held, holder), quantity) in &self.balances {
            let (Holder::Address(to) | Holder::Coin(_, to)) = holder;
            if *held == asset && to != source {
                let share = u128::from(*quantity) * u128::from(per_unit) / unit;
                let share = u64::try_from(share).map_err(|_| "insufficient funds")?;
                let sum = shares.entry(to.clone()).or_default();
                *sum = sum.saturating_add(share);
            }
        }
        let total = shares.values().try_fold(0u64, |sum, share| sum.checked_add(*share)).ok_or("insufficient funds")?;
        if total == 0 {
            return Err("zero dividend");
        }
        self.debit(pays, source, total)?;
        for (to, share) in shares {
            self.credit(pays, Holder::Address(to), share);
        }
        Ok(())
    }
}

/// The name that servers give a message.
fn kind(message: &Message) -> &'static str {
    match message {
        Message::Send { .. } => "send",
        Message::EnhancedSend { .. } => "enhanced_send",
        Message::Mpma(_) => "mpma",
        Message::Sweep { .. } => "sweep",
        Message::Order { .. } => "order",
        Message::Dispenser { .. } => "dispenser",
        Message::Dispense => "dispense",
        Message::Cancel { .. } => "cancel",
        Message::Issuance { .. } | Message::SubassetIssuance { .. } => "issuance",
        Message::Broadcast { .. } => "broadcast",
        Message::Dividend { .. } => "dividend",
        Message::Attach { .. } => "attach",
        Message::Detach { .. } => "detach",
        Message::Destroy { .. } => "destroy",
        _ => "unknown",
    }
}
