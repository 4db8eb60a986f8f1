//! The coin guard: which coins may be spent as bitcoin, and whether a transaction does with assets exactly what was asked.
//!
//! Only [`Standing::Plain`] coins may be picked by themselves for sends, fees, channels, stakes or pegs.

use crate::ancestry::{Ancestry, Doubt, Source, Verdict};
use crate::asset::{Asset, Holding, Protocol};
use crate::counterparty::{self, carrier};
use crate::{colu, epobc, open_assets};
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, Script, ScriptBuf, Transaction, TxOut, Txid};
use causeway_vocab::{Code, Refusal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether a coin may be spent as bitcoin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It holds nothing but bitcoin.
    Plain,
    /// It holds these units; spending it as bitcoin destroys them.
    Guarded(Vec<Holding>),
    /// It may hold something. Treated as if it did.
    Unknown(Reason),
}

impl Standing {
    /// May be spent as bitcoin.
    pub fn is_spendable(&self) -> bool {
        *self == Standing::Plain
    }

    /// Why the coin must not be spent as bitcoin, if so.
    pub fn refusal(&self, coin: OutPoint) -> Option<Refusal> {
        match self {
            Standing::Plain => None,
            Standing::Guarded(_) => Some(Refusal::new(Code::HoldsAssets).with("outpoint", coin)),
            Standing::Unknown(reason) => Some(Refusal::new(Code::ColourUnknown).with("outpoint", coin).with("why", reason)),
        }
    }
}

/// Why a coin's standing is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// Its colours are in doubt.
    #[error("{0}")]
    Doubt(Doubt),
    /// A Counterparty message binds units to it.
    #[error("units of a ledger may be bound to it")]
    Attached,
    /// A server says that units are bound to it.
    #[error("a server reports units bound to it")]
    Reported,
    /// An inscription was revealed onto it.
    #[error("carries an inscription")]
    Inscription,
    /// The user froze it.
    #[error("frozen by the user")]
    Frozen,
}

/// What is known of a coin besides its ancestry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// A ledger server says that units are bound to the coin. Its silence proves nothing.
    pub reported: bool,
    /// The transaction that made the coin spends one with units bound to it.
    pub inherits: bool,
    /// The user froze it.
    pub frozen: bool,
}

/// The standing of the coin at `vout` of `tx`, given its colours.
pub fn classify(verdict: Verdict, tx: &Transaction, vout: usize, marks: Marks) -> Standing {
    let sign = match () {
        () if marks.reported => Some(Reason::Reported),
        () if receives_attached(tx, vout, marks.inherits) => Some(Reason::Attached),
        () if vout == 0 && reveals_inscription(tx) => Some(Reason::Inscription),
        () if marks.frozen => Some(Reason::Frozen),
        () => None,
    };
    match (verdict, sign) {
        (Verdict::Coloured(holdings), _) => Standing::Guarded(holdings),
        (Verdict::Unknown(doubt), _) => Standing::Unknown(Reason::Doubt(doubt)),
        (Verdict::Plain, Some(reason)) => Standing::Unknown(reason),
        (Verdict::Plain, None) => Standing::Plain,
    }
}

/// Whether units of the Counterparty ledger may be bound to an output.
///
/// A transaction that spends bound units moves them to its first output without data, whatever else it is about (`inherits`), unless it
/// detaches them. One that attaches names the output. A message that cannot be read might do either.
pub fn receives_attached(tx: &Transaction, vout: usize, inherits: bool) -> bool {
    let first = tx.output.iter().position(|output| !output.script_pubkey.is_op_return());
    let message = carrier::find(tx).map(|carried| counterparty::Message::read(&carried.message));
    // A detachment returns everything to addresses.
    if inherits && first == Some(vout) && !matches!(message, Some(Ok(counterparty::Message::Detach { .. }))) {
        return true;
    }
    let Some(message) = message else { return false };
    match message {
        Ok(counterparty::Message::Attach { vout: Some(named), .. }) => usize::try_from(named) == Ok(vout),
        Ok(counterparty::Message::Attach { vout: None, .. }) | Err(_) => first == Some(vout),
        Ok(_) => false,
    }
}

/// Whether the first input reveals an inscription, which settles on the first satoshi.
fn reveals_inscription(tx: &Transaction) -> bool {
    // OP_FALSE OP_IF <"ord">
    const OPENING: &[u8] = b"\x00\x63\x03ord";
    let Some(first) = tx.input.first() else { return false };
    first.witness.iter().any(|item| item.len() > OPENING.len() && item.windows(OPENING.len()).any(|window| window == OPENING))
}

/// Protocols that a transaction speaks, well-formed or not. Such a transaction must never be sorted, shuffled or merged with another.
///
/// Allocates nothing for a transaction that speaks none.
pub fn protocols(tx: &Transaction) -> Vec<Protocol> {
    let scripts = || tx.output.iter().map(|output| output.script_pubkey.as_script());
    let mut spoken = Vec::new();
    if scripts().any(open_assets::marker::is_tagged) {
        spoken.push(Protocol::OpenAssets);
    }
    if scripts().any(colu::message::is_tagged) {
        spoken.push(Protocol::Colu);
    }
    if epobc::Tag::of(tx).is_some() {
        spoken.push(Protocol::Epobc);
    }
    if carrier::find(tx).is_some() {
        spoken.push(Protocol::Counterparty);
    }
    spoken
}

/// What the user wants a transaction to do with assets. The default is: nothing, an ordinary bitcoin transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intent {
    /// The one protocol it may speak.
    pub protocol: Option<Protocol>,
    /// Units for each script, on one output or several. Every other output holds none.
    pub units: BTreeMap<ScriptBuf, Vec<Holding>>,
    /// Units created.
    pub issued: BTreeMap<Asset, u64>,
    /// Units destroyed.
    pub burned: BTreeMap<Asset, u64>,
    /// What becomes of ledger units bound to the inputs.
    pub attached: Attached,
}

/// What the user wants with units that the Counterparty ledger binds to coins. They cannot be followed here, only their coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attached {
    /// Such coins must not be spent.
    #[default]
    Untouched,
    /// Moves them all to this output.
    To(usize),
    /// Returns them to addresses, by a message that says so.
    Detached,
}

/// Units by asset.
type Sums = BTreeMap<Asset, u128>;

/// Runs the colouring engine on an unsigned transaction and compares the result with the intent: nothing more, nothing less.
///
/// Every transaction that is to be signed goes through here, those without assets too. `marks` says what is known of each input's coin.
pub fn check<S: Source>(
    ancestry: &mut Ancestry<S>,
    tx: &Transaction,
    intent: &Intent,
    marks: impl Fn(&OutPoint) -> Marks,
) -> Result<(), Refusal> {
    let spoken = protocols(tx);
    match (spoken.as_slice(), intent.protocol) {
        ([], None) => {}
        ([one], Some(wanted)) if *one == wanted => {}
        ([], Some(wanted)) => return Err(differs(format!("it does not speak {wanted}"))),
        ([one], _) => return Err(differs(format!("it speaks {one}"))),
        ([one, other, ..], _) => return Err(differs(format!("it speaks {one} and {other}"))),
    }
    attached(tx, intent.attached)?;
    let (first, held) = inputs(ancestry, tx, intent, marks)?;
    let issued = issued(tx, intent.protocol, first.as_ref())?;
    let mut after = Sums::new();
    let mut units: BTreeMap<&Script, Sums> = BTreeMap::new();
    for (output, verdict) in tx.output.iter().zip(ancestry.verdicts_of(tx)) {
        match verdict {
            Verdict::Plain => {}
            Verdict::Coloured(_) if output.script_pubkey.is_op_return() => {
                return Err(differs("units go where nobody can spend them"));
            }
            Verdict::Coloured(holdings) => {
                add(units.entry(&output.script_pubkey).or_default(), &holdings);
                add(&mut after, &holdings);
            }
            Verdict::Unknown(doubt) => return Err(differs(doubt)),
        }
    }
    let wanted = intent.units.iter().map(|(script, holdings)| (script.as_script(), sums(holdings)));
    if units != wanted.filter(|(_, sums)| !sums.is_empty()).collect() {
        return Err(differs("somebody gets other units"));
    }
    if exact(&issued) != exact(&intent.issued) {
        return Err(differs("other units are issued"));
    }
    let mut before = held;
    for (asset, quantity) in &issued {
        *before.entry(*asset).or_default() += u128::from(*quantity);
    }
    let mut burned = Sums::new();
    for (asset, had) in before {
        let kept = after.remove(&asset).unwrap_or(0);
        let lost = had.checked_sub(kept).ok_or_else(|| differs("units appear from nowhere"))?;
        if lost > 0 {
            burned.insert(asset, lost);
        }
    }
    if !after.is_empty() {
        return Err(differs("units appear from nowhere"));
    }
    if burned != exact(&intent.burned) {
        return Err(differs("other units are destroyed"));
    }
    Ok(())
}

/// What the inputs hold, and the output that the first one spends. Every coin must be certain and of the spoken protocol.
fn inputs<S: Source>(
    ancestry: &mut Ancestry<S>,
    tx: &Transaction,
    intent: &Intent,
    marks: impl Fn(&OutPoint) -> Marks,
) -> Result<(Option<(OutPoint, TxOut)>, Sums), Refusal> {
    let (mut held, mut first) = (Sums::new(), None);
    for input in &tx.input {
        let coin = input.previous_output;
        let missing = || unknown(coin, Doubt::MissingAncestor(coin.txid));
        let creator = creator(ancestry, coin.txid).ok_or_else(missing)?;
        let vout = usize::try_from(coin.vout).unwrap_or(usize::MAX);
        let output = creator.output.get(vout).ok_or_else(missing)?;
        let verdict = ancestry.verdict(coin);
        match classify(verdict, &creator, vout, marks(&coin)) {
            Standing::Plain => {}
            Standing::Guarded(holdings) if holdings.iter().all(|held| Some(held.asset.protocol()) == intent.protocol) => {
                add(&mut held, &holdings);
            }
            Standing::Unknown(Reason::Attached | Reason::Reported) if intent.attached != Attached::Untouched => {}
            standing => return Err(standing.refusal(coin).unwrap_or_else(missing)),
        }
        first.get_or_insert_with(|| (coin, output.clone()));
    }
    Ok((first, held))
}

/// Bound units go to the first output without data, unless a message detaches them.
fn attached(tx: &Transaction, wanted: Attached) -> Result<(), Refusal> {
    let message = carrier::find(tx).map(|carried| counterparty::Message::read(&carried.message));
    let detaches = matches!(message, Some(Ok(counterparty::Message::Detach { .. })));
    let first = tx.output.iter().position(|output| !output.script_pubkey.is_op_return());
    match wanted {
        Attached::Untouched => Ok(()),
        Attached::To(vout) if first == Some(vout) && !detaches => Ok(()),
        Attached::Detached if detaches => Ok(()),
        Attached::To(_) | Attached::Detached => Err(differs("units bound to its inputs go elsewhere")),
    }
}

fn creator<S: Source>(ancestry: &Ancestry<S>, txid: Txid) -> Option<Arc<Transaction>> {
    ancestry.source().transaction(&txid).filter(|tx| tx.compute_txid() == txid)
}

/// What the transaction's own message creates.
fn issued(
    tx: &Transaction,
    protocol: Option<Protocol>,
    first: Option<&(OutPoint, TxOut)>,
) -> Result<BTreeMap<Asset, u64>, Refusal> {
    let mut issued = BTreeMap::new();
    let Some((coin, spent)) = first else { return Ok(issued) };
    match protocol {
        None | Some(Protocol::Counterparty) => {}
        Some(Protocol::OpenAssets) => {
            let (at, marker) = open_assets::coloring::only_marker(tx).map_err(differs)?;
            let quantities = marker.quantities.iter().take(at);
            let sum = quantities.copied().try_fold(0u64, u64::checked_add).ok_or_else(|| differs("too many units are issued"))?;
            if sum > 0 {
                issued.insert(Asset::OpenAssets(open_assets::AssetId::issued_by(&spent.script_pubkey)), sum);
            }
        }
        Some(Protocol::Colu) => {
            let (_, message) = colu::coloring::only_message(tx).map_err(differs)?;
            if let Some(piece) = colu::coloring::issued(&message, *coin, spent).filter(|piece| piece.amount > 0) {
                issued.insert(Asset::Colu(piece.asset), piece.amount);
            }
        }
        Some(Protocol::Epobc) => {
            // In version 2 the tag would lock the input as well.
            if tx.version != Version::ONE && tx.input.first().is_some_and(|input| input.sequence.is_relative_lock_time()) {
                return Err(differs("its tag is a lock time"));
            }
            let tag = epobc::Tag::of(tx).filter(|tag| tag.genesis);
            let units = tag.and_then(|tag| tx.output.first()?.value.to_sat().checked_sub(tag.padding())).unwrap_or(0);
            if units > 0 {
                issued.insert(Asset::Epobc(epobc::ColourId(tx.compute_txid())), units);
            }
        }
    }
    Ok(issued)
}

/// Whether a replacement keeps what the order of a transaction means: its inputs first, in order, and its output scripts, all in order.
pub fn keeps_order(old: &Transaction, new: &Transaction) -> bool {
    let inputs = old.input.iter().map(|input| (input.previous_output, input.sequence));
    let same_inputs = new.input.len() >= old.input.len()
        && inputs.eq(new.input.iter().take(old.input.len()).map(|input| (input.previous_output, input.sequence)));
    let scripts = |tx: &Transaction| tx.output.iter().map(|output| output.script_pubkey.clone()).collect::<Vec<_>>();
    same_inputs && old.version == new.version && scripts(old) == scripts(new)
}

/// Holders of an asset: units by script, sorted by script, from coins and what they hold.
pub fn holders<'a>(coins: impl IntoIterator<Item = (&'a Script, &'a [Holding])>, asset: Asset) -> Vec<crate::dividend::Holder> {
    let mut sums: BTreeMap<&Script, u64> = BTreeMap::new();
    for (script, holdings) in coins {
        for holding in holdings.iter().filter(|holding| holding.asset == asset) {
            let sum = sums.entry(script).or_default();
            *sum = sum.saturating_add(holding.quantity);
        }
    }
    sums.into_iter().map(|(script, quantity)| crate::dividend::Holder { script: script.to_owned(), quantity }).collect()
}

fn add(sums: &mut Sums, holdings: &[Holding]) {
    for holding in holdings {
        *sums.entry(holding.asset).or_default() += u128::from(holding.quantity);
    }
}

fn sums(holdings: &[Holding]) -> Sums {
    let mut sums = Sums::new();
    add(&mut sums, holdings);
    sums.retain(|_, quantity| *quantity > 0);
    sums
}

fn exact(quantities: &BTreeMap<Asset, u64>) -> Sums {
    quantities.iter().filter(|(_, quantity)| **quantity > 0).map(|(asset, quantity)| (*asset, u128::from(*quantity))).collect()
}

fn differs(why: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::WrongColouring).with("why", why)
}

fn unknown(coin: OutPoint, doubt: Doubt) -> Refusal {
    Refusal::new(Code::ColourUnknown).with("outpoint", coin).with("why", doubt)
}

#[cfg(test)]
mod tests;
