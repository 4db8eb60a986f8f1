//! Who holds an asset, from the blocks alone, and payments to all of them.
//!
//! Blocks are read upwards: every transaction that spends a coin of the asset or speaks its protocol is coloured by the same engine that colours
//! our own coins. What was issued before the first block that is read is not counted, so the answer says where it began.

use super::plan::{Delivery, Terms, transfer};
use crate::drafts::{Purpose, plan_bitcoin};
use crate::memory::Core;
use crate::profile::Profile;
use bitcoin::{OutPoint, ScriptBuf, Transaction, Txid};
use causeway_bitcoin_wallet::{FeeRate, Intent, Recipient};
use causeway_colored::dividend::{Holder, Rounding, pro_rata};
use causeway_colored::guard::{holders, protocols};
use causeway_colored::{Ancestry, Asset, Holding, Source, Verdict};
use causeway_contract::{Atoms, ColouredRef, DividendPlan, DraftKind, DraftView, Failure, HolderView, HoldersView};
use causeway_vocab::{Code, Height, NetworkId, Refusal};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Blocks that are read at most.
const REACH: Height = 20_000;
/// Transactions that are kept at most while reading, bytes.
const MOST: usize = 256_000_000;

/// What reading has come to.
struct Register {
    asset: Asset,
    /// Everything that was read: any of it may be spent beside a coin of the asset.
    read: HashMap<Txid, Arc<Transaction>>,
    size: usize,
    coins: HashMap<OutPoint, (ScriptBuf, Vec<Holding>)>,
}

/// What was read, and what the profile knows from elsewhere.
struct Both<'a> {
    read: &'a HashMap<Txid, Arc<Transaction>>,
    core: &'a Core,
}

impl Source for Both<'_> {
    fn transaction(&self, txid: &Txid) -> Option<Arc<Transaction>> {
        self.read.get(txid).cloned().or_else(|| self.core.past().transaction(txid))
    }
}

impl Register {
    fn new(asset: Asset) -> Register {
        Register { asset, read: HashMap::new(), size: 0, coins: HashMap::new() }
    }

    /// Takes the transactions of the next block in. Refused with `ColourUnknown` when a coin of the asset cannot be told.
    fn take(&mut self, core: &Core, txs: Vec<Transaction>) -> Result<(), Refusal> {
        for tx in &txs {
            self.size += tx.total_size();
        }
        let txs: Vec<Arc<Transaction>> = txs.into_iter().map(Arc::new).collect();
        self.read.extend(txs.iter().map(|tx| (tx.compute_txid(), Arc::clone(tx))));
        if self.size > MOST {
            return Err(Refusal::new(Code::NotOffered).with("what", "holders"));
        }
        for tx in txs.iter().filter(|tx| !tx.is_coinbase()) {
            let spent = tx.input.iter().filter(|input| self.coins.remove(&input.previous_output).is_some()).count();
            let speaks = protocols(tx).contains(&self.asset.protocol());
            if spent == 0 && !speaks {
                continue;
            }
            let txid = tx.compute_txid();
            let mut ancestry = Ancestry::new(Both { read: &self.read, core });
            for ((vout, output), verdict) in (0..).zip(&tx.output).zip(ancestry.verdicts_of(tx)) {
                match verdict {
                    Verdict::Coloured(holdings) if holdings.iter().any(|holding| holding.asset == self.asset) => {
                        self.coins.insert(OutPoint { txid, vout }, (output.script_pubkey.clone(), holdings));
                    }
                    // A stranger's transaction that we cannot read may be of any asset; one that spends ours matters.
                    Verdict::Unknown(doubt) if spent > 0 => {
                        let refusal = Refusal::new(Code::ColourUnknown).with("outpoint", OutPoint { txid, vout });
                        return Err(refusal.with("why", doubt));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn holders(&self) -> Vec<Holder> {
        holders(self.coins.values().map(|(script, holdings)| (script.as_script(), holdings.as_slice())), self.asset)
    }
}

/// Everybody who holds an asset, as of a block.
struct Holders {
    holders: Vec<Holder>,
    from: Height,
    to: Height,
}

impl Profile {
    /// Reads the blocks. Refused with `NoPeers` when a block cannot be had.
    async fn register(&self, asset: Asset) -> Result<Holders, Refusal> {
        let to = self.clients.bitcoin.tip().height;
        let from = to.saturating_sub(REACH).max(1);
        let mut register = Register::new(asset);
        for height in from..=to {
            let tip = self.clients.bitcoin.at(height).ok_or_else(|| Refusal::new(Code::NotSynced))?;
            let (_, block) = self.clients.bitcoin.block(tip.hash).await.map_err(|fault| fault.refusal)?;
            register.take(&self.core(), block.txdata)?;
        }
        Ok(Holders { holders: register.holders(), from, to })
    }

    pub(crate) async fn coloured_holders(&self, request: ColouredRef) -> Result<HoldersView, Failure> {
        let asset = self.core().coloured_asset(&request.asset)?;
        let Holders { mut holders, from, to } = self.register(asset).await?;
        holders.sort_by(|a, b| b.quantity.cmp(&a.quantity).then_with(|| a.script.cmp(&b.script)));
        self.read(|core, _| {
            let wallet = core.selected()?;
            let view = |holder: &Holder| HolderView {
                address: address_of(core, &holder.script),
                amount: Atoms(holder.quantity),
                ours: wallet.bitcoin.is_mine(&holder.script),
            };
            Ok(HoldersView {
                asset: core.coloured_label(asset),
                holders: holders.iter().map(view).collect(),
                total: Atoms(holders.iter().fold(0u64, |sum, holder| sum.saturating_add(holder.quantity))),
                from,
                to,
            })
        })
    }

    pub(crate) async fn dividend_plan(&self, request: DividendPlan) -> Result<DraftView, Failure> {
        let (asset, pays) = {
            let core = self.core();
            let pays = request.pays.as_deref().filter(|pays| *pays != "btc");
            (core.coloured_asset(&request.asset)?, pays.map(|pays| core.coloured_asset(pays)).transpose()?)
        };
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let holders = self.register(asset).await?.holders;
        let planned = self.change(|core, write| {
            let wallet = core.selected()?;
            let others: Vec<Holder> = holders.into_iter().filter(|holder| !wallet.bitcoin.is_mine(&holder.script)).collect();
            let rounding = if request.all { Rounding::LargestRemainder } else { Rounding::Down };
            let dust = |holder: &Holder| holder.script.minimal_non_dust().to_sat();
            let least = if pays.is_none() { others.iter().map(dust).max().unwrap_or(0) } else { 1 };
            let dividend = pro_rata(&others, request.amount.0, rounding, least)?;
            let payees = dividend.shares.iter().map(|share| address_of(core, &share.script)).collect();
            let terms = Terms { kind: DraftKind::Send, rate, label: request.label, payees };
            match pays {
                Some(pays) => {
                    let to = dividend.shares.into_iter();
                    let to: Vec<_> = to.map(|share| Delivery { script: share.script, quantity: share.amount }).collect();
                    transfer(core, write, pays, &to, 0, terms)
                }
                None => {
                    let to = dividend.shares.into_iter();
                    let recipients = to.map(|share| Recipient { script: share.script, amount: Atoms(share.amount) }).collect();
                    let intent =
                        Intent { recipients, drain_to: None, rate: FeeRate(rate), coins: Vec::new(), exclude: BTreeSet::new() };
                    plan_bitcoin(core, write, terms.kind, intent, terms.label, terms.payees, |_| Purpose::Plain)
                }
            }
        });
        planned.inspect(|_| self.watch_new())
    }
}

/// The address of a script, or the script where it has none.
fn address_of(core: &Core, script: &ScriptBuf) -> String {
    let address = bitcoin::Address::from_script(script, core.realm.bitcoin.network);
    address.map_or_else(|_| script.to_hex_string(), |address| address.to_string())
}
