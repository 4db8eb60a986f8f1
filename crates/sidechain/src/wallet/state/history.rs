//! The history, newest first, from an index that is kept and not recomputed.

use super::{Known, Owned, Position, SidechainWallet, StoredTx, burned};
use crate::consensus::pegout::Pegout;
use crate::consensus::proofs::is_unspendable;
use crate::wallet::descriptor::{Chain, KeyPath};
use causeway_vocab::{Height, Opening};
use elements::{AssetId, BlockHash, OutPoint, Script, TxIn, TxOut, Txid};
use std::collections::BTreeMap;

/// A place in the history; a page starts behind one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// Height, the largest number for unconfirmed ones.
    pub height: Height,
    /// Position in the block, or the time when an unconfirmed one was seen.
    pub index: u32,
    /// Which transaction.
    pub txid: Txid,
}

/// What a transaction is for this wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Pays us.
    Receive,
    /// We pay others.
    Send,
    /// We pay ourselves.
    Own,
    /// Makes a new asset.
    Issue,
    /// Makes more of an asset.
    Reissue,
    /// Destroys an amount.
    Burn,
    /// Claims a deposit on Bitcoin.
    PegIn,
    /// Leaves for Bitcoin.
    PegOut,
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Its place; a next page starts behind it.
    pub cursor: Cursor,
    /// Transaction id.
    pub txid: Txid,
    /// What it is.
    pub kind: Kind,
    /// Gain (or loss) of this wallet by asset, atoms, fee included. Assets that come out even are absent.
    pub net: BTreeMap<AssetId, i128>,
    /// Fee in the policy asset, whoever paid it.
    pub fee: u64,
    /// Whether we paid the fee: some input is ours.
    pub ours: bool,
    /// Block height, `None` while unconfirmed.
    pub height: Option<Height>,
    /// Its block.
    pub block: Option<BlockHash>,
    /// Block time, or when it was first seen; Unix seconds.
    pub time: u32,
}

/// What an end of a transaction is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ours, on the external chain.
    Ours,
    /// Ours, on the internal chain.
    Change,
    /// Somebody else's.
    Foreign,
    /// The fee.
    Fee,
    /// Destroyed.
    Burn,
    /// Newly issued.
    Issue,
    /// From or to Bitcoin.
    Peg,
}

/// What a transaction moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Its line.
    pub entry: HistoryEntry,
    /// Inputs in order, each issuance behind its input.
    pub inputs: Vec<FlowInput>,
    /// Outputs in order.
    pub outputs: Vec<FlowOutput>,
    /// Weight units.
    pub weight: u32,
    /// Virtual bytes.
    pub vsize: u32,
    /// Virtual bytes after the discount for confidential data.
    pub discount_vsize: u32,
}

/// One input, or what an input issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowInput {
    /// The output it spends; for a peg-in the Bitcoin outpoint.
    pub prevout: OutPoint,
    /// `Ours`, `Change`, `Foreign`, `Issue` or `Peg`.
    pub role: Role,
    /// Where its script is derived, when ours.
    pub path: Option<KeyPath>,
    /// Asset, when known to us.
    pub asset: Option<AssetId>,
    /// Amount, when known to us.
    pub amount: Option<u64>,
    /// Whether asset or amount is hidden from others; `None` when the spent output is unknown.
    pub blinded: Option<bool>,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowOutput {
    /// Its script; empty for the fee.
    pub script: Script,
    /// What it is to us.
    pub role: Role,
    /// Where its script is derived, when ours.
    pub path: Option<KeyPath>,
    /// Asset, when known to us.
    pub asset: Option<AssetId>,
    /// Amount, when known to us.
    pub amount: Option<u64>,
    /// Whether asset or amount is hidden from others.
    pub blinded: bool,
    /// The transaction that spends it, when known.
    pub spent_by: Option<Txid>,
}

impl SidechainWallet {
    /// Transactions, newest first: unconfirmed ones, then by block and position. Starts behind `after`. Lazy: take a page.
    pub fn history(&self, after: Option<Cursor>) -> impl Iterator<Item = HistoryEntry> + '_ {
        let older = match after {
            Some(cursor) => self.order.range(..cursor),
            None => self.order.range(..),
        };
        older.rev().filter_map(|cursor| self.history_entry(&cursor.txid))
    }

    /// How many transactions the history holds.
    pub fn history_len(&self) -> usize {
        self.order.len()
    }

    /// One transaction's line. `None` when unknown or gone.
    pub fn history_entry(&self, txid: &Txid) -> Option<HistoryEntry> {
        let known = self.txs.get(txid)?;
        let cursor = self.cursor(txid)?;
        let mut net = BTreeMap::<AssetId, i128>::new();
        let mut add = |owned: &Owned, sign: i128| {
            if let Some(opening) = owned.opening {
                *net.entry(opening.asset).or_default() += sign * i128::from(opening.value);
            }
        };
        known.tx.owned.values().for_each(|owned| add(owned, 1));
        for input in &known.tx.stripped.input {
            if let Some(owned) = self.spent(input) {
                add(owned, -1);
            }
        }
        net.retain(|_, atoms| *atoms != 0);
        let (height, block, time) = match known.position? {
            Position::Mined { height, hash, time, .. } => (Some(height), Some(hash), time),
            Position::Pending { seen } => (None, None, seen),
            Position::Gone => return None,
        };
        Some(HistoryEntry {
            cursor,
            txid: *txid,
            kind: self.kind(known),
            net,
            fee: known.tx.stripped.fee_in(self.params.policy_asset),
            ours: known.tx.stripped.input.iter().any(|input| self.spent(input).is_some()),
            height,
            block,
            time,
        })
    }

    /// What a transaction moves, for the flow diagram. `None` when unknown or gone.
    pub fn flow(&self, txid: &Txid) -> Option<Flow> {
        let entry = self.history_entry(txid)?;
        let tx = &self.txs.get(txid)?.tx;
        let mut inputs = Vec::new();
        for (vin, input) in tx.stripped.input.iter().enumerate() {
            inputs.push(self.flow_input(tx, vin, input));
            inputs.extend(issued(tx, vin, input));
        }
        let outputs = tx.stripped.output.iter().enumerate();
        let outputs = outputs.map(|(vout, output)| self.flow_output(txid, tx, vout as u32, output)).collect();
        Some(Flow {
            entry,
            inputs,
            outputs,
            weight: tx.weight,
            vsize: tx.weight.div_ceil(4),
            discount_vsize: tx.discount_weight.div_ceil(4),
        })
    }

    /// The transaction without its witness, as it was stored.
    pub fn stored_tx(&self, txid: &Txid) -> Option<&StoredTx> {
        self.txs.get(txid).map(|known| &known.tx)
    }

    /// An output of a transaction it knows, spent or not, with its opening where that is known to us.
    pub fn known_output(&self, outpoint: &OutPoint) -> Option<(&TxOut, Option<Opening>)> {
        let tx = &self.txs.get(&outpoint.txid)?.tx;
        let output = tx.stripped.output.get(outpoint.vout as usize)?;
        let opening = match tx.owned.get(&outpoint.vout) {
            Some(owned) => owned.opening,
            None => tx.paid.get(&outpoint.vout).copied(),
        };
        Some((output, opening))
    }

    /// Where a transaction stands in the history; `None` when it is gone.
    pub(super) fn cursor(&self, txid: &Txid) -> Option<Cursor> {
        match self.txs.get(txid)?.position? {
            Position::Mined { height, index, .. } => Some(Cursor { height, index, txid: *txid }),
            Position::Pending { seen } => Some(Cursor { height: Height::MAX, index: seen, txid: *txid }),
            Position::Gone => None,
        }
    }

    /// Our output that an input spends.
    pub(super) fn spent(&self, input: &TxIn) -> Option<&Owned> {
        if input.is_pegin { None } else { self.owned(&input.previous_output) }
    }

    fn pegout(&self, output: &TxOut) -> bool {
        Pegout::of_output(output, &self.params.parent_genesis_hash, self.params.policy_asset).is_some()
    }

    fn kind(&self, known: &Known) -> Kind {
        let StoredTx { stripped: tx, owned, .. } = &known.tx;
        let ours = |input: &&TxIn| self.spent(input).is_some();
        if tx.input.iter().any(|input| input.is_pegin) {
            return Kind::PegIn;
        }
        if !tx.input.iter().any(|input| ours(&input)) {
            return Kind::Receive;
        }
        if let Some(issuing) = tx.input.iter().filter(ours).find(|input| input.has_issuance()) {
            return if issuing.asset_issuance.asset_blinding_nonce.is_null() { Kind::Issue } else { Kind::Reissue };
        }
        if tx.output.iter().any(|output| self.pegout(output)) {
            return Kind::PegOut;
        }
        if tx.output.iter().any(|output| burned(output).is_some()) {
            return Kind::Burn;
        }
        let foreign =
            |(vout, output): (usize, &TxOut)| !owned.contains_key(&(vout as u32)) && !is_unspendable(&output.script_pubkey);
        if tx.output.iter().enumerate().any(foreign) { Kind::Send } else { Kind::Own }
    }

    fn flow_input(&self, tx: &StoredTx, vin: usize, input: &TxIn) -> FlowInput {
        let prevout = input.previous_output;
        if input.is_pegin {
            let amount = tx.pegins.get(&(vin as u32)).copied();
            let asset = Some(self.params.policy_asset);
            return FlowInput { prevout, role: Role::Peg, path: None, asset, amount, blinded: Some(false) };
        }
        let owned = self.owned(&prevout);
        let known = self.known_output(&prevout);
        let (output, opening) = (known.map(|(output, _)| output), known.and_then(|(_, opening)| opening));
        FlowInput {
            prevout,
            role: owned.map_or(Role::Foreign, |owned| role_of(owned.path)),
            path: owned.map(|owned| owned.path),
            asset: opening.map(|o| o.asset).or_else(|| output?.asset.explicit()),
            amount: opening.map(|o| o.value).or_else(|| output?.value.explicit()),
            blinded: output.map(is_blinded),
        }
    }

    fn flow_output(&self, txid: &Txid, tx: &StoredTx, vout: u32, output: &TxOut) -> FlowOutput {
        let owned = tx.owned.get(&vout);
        let opening = owned.map_or_else(|| tx.paid.get(&vout).copied(), |owned| owned.opening);
        let role = match owned {
            Some(owned) => role_of(owned.path),
            None if output.is_fee() => Role::Fee,
            None if self.pegout(output) => Role::Peg,
            None if is_unspendable(&output.script_pubkey) => Role::Burn,
            None => Role::Foreign,
        };
        FlowOutput {
            script: output.script_pubkey.clone(),
            role,
            path: owned.map(|owned| owned.path),
            asset: opening.map(|o| o.asset).or(output.asset.explicit()),
            amount: opening.map(|o| o.value).or(output.value.explicit()),
            blinded: is_blinded(output),
            spent_by: self.spender(&OutPoint::new(*txid, vout)),
        }
    }
}

/// What an input issues, asset first.
fn issued(tx: &StoredTx, vin: usize, input: &TxIn) -> Vec<FlowInput> {
    if !input.has_issuance() {
        return Vec::new();
    }
    let (asset, token) = input.issuance_ids();
    let hidden = tx.issued.get(&(vin as u32)).copied().unwrap_or_default();
    let amounts = [(asset, input.asset_issuance.amount, hidden[0]), (token, input.asset_issuance.inflation_keys, hidden[1])];
    let made = amounts.into_iter().filter(|(_, value, _)| !value.is_null());
    made.map(|(asset, value, hidden)| FlowInput {
        prevout: input.previous_output,
        role: Role::Issue,
        path: None,
        asset: Some(asset),
        amount: value.explicit().or(hidden),
        blinded: Some(value.is_confidential()),
    })
    .collect()
}

fn role_of(path: KeyPath) -> Role {
    match path.chain {
        Chain::External => Role::Ours,
        Chain::Internal => Role::Change,
    }
}

fn is_blinded(output: &TxOut) -> bool {
    output.asset.is_confidential() || output.value.is_confidential()
}
