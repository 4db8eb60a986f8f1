//! The walk from a coin to the issuances behind it.
//!
//! Colour is a function of a transaction and its ancestors, all of which its txid commits to; so a result without doubt stays true for
//! ever, through reorganisations too. Whether the coin exists is for the chain to say.

use crate::asset::{Asset, Holding, Protocol};
use crate::{colu, epobc, open_assets};
use bitcoin::{OutPoint, Transaction, TxOut, Txid};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Where previous transactions come from: local blocks or a cache of them.
pub trait Source {
    /// The transaction of that id, if at hand. A wrong one is noticed.
    fn transaction(&self, txid: &Txid) -> Option<Arc<Transaction>>;
}

impl<F: Fn(&Txid) -> Option<Arc<Transaction>>> Source for F {
    fn transaction(&self, txid: &Txid) -> Option<Arc<Transaction>> {
        self(txid)
    }
}

/// Why a coin's colour is not certain. Such a coin is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Doubt {
    /// An ancestor is not at hand. Goes away once it is.
    #[error("ancestor {0} is missing")]
    MissingAncestor(Txid),
    /// The source gave another transaction for this id.
    #[error("ancestor {0} was forged")]
    ForgedAncestor(Txid),
    /// More ancestors than the bound of this walk.
    #[error("more than {0} ancestors")]
    TooManyAncestors(usize),
    /// Readers of the protocol disagree about this transaction.
    #[error("{protocol} transaction {txid} reads in two ways: {why}")]
    Ambiguous {
        /// Whose readers.
        protocol: Protocol,
        /// Where.
        txid: Txid,
        /// About what.
        why: Ambiguity,
    },
    /// Two protocols claim the coin.
    #[error("claimed by {0} and {1}")]
    SeveralProtocols(Protocol, Protocol),
}

impl Doubt {
    /// More data may settle it.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Doubt::MissingAncestor(_) | Doubt::ForgedAncestor(_) | Doubt::TooManyAncestors(_))
    }
}

/// What readers of one protocol disagree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Ambiguity {
    /// More than one well-formed marker.
    #[error("several markers")]
    SeveralMarkers,
    /// A quantity in more bytes than the specification allows, which lax readers accept.
    #[error("over-long number")]
    OverlongNumber,
    /// A marker in a script that is not one single push.
    #[error("irregular marker script")]
    IrregularScript,
    /// A payload that strict readers refuse and lax ones decode.
    #[error("malformed payload")]
    MalformedPayload,
    /// More pieces than we follow.
    #[error("too many pieces")]
    TooManyPieces,
    /// An amount past what some readers can count to.
    #[error("an amount too large")]
    AmountTooLarge,
}

/// What a coin holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing of any protocol that this crate can follow.
    Plain,
    /// These units, in the order in which the protocol keeps them; never empty.
    Coloured(Vec<Holding>),
    /// Not known; never to be taken for [`Verdict::Plain`].
    Unknown(Doubt),
}

/// An input of a transaction with what it spends.
pub(crate) struct Spent<'a, C> {
    /// The output.
    pub(crate) output: &'a TxOut,
    /// The transaction that made it.
    pub(crate) creator: &'a Transaction,
    /// Its colour.
    pub(crate) colour: &'a C,
}

/// How much of the past a transaction's colours depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: all outputs are uncoloured.
    Nothing,
    /// Only the transaction itself.
    Itself,
    /// The output that the first input spends, but not its colour.
    FirstOutput,
    /// The colours of all inputs.
    Colours,
}

/// The colours that one transaction gives its outputs by the official algorithm, and whether readers agree on it.
#[derive(Debug, Clone)]
pub(crate) struct Cells<C> {
    pub(crate) outputs: Vec<C>,
    pub(crate) doubt: Option<Doubt>,
}

impl<C> Cells<C> {
    fn is_temporary(&self) -> bool {
        self.doubt.is_some_and(|doubt| doubt.is_temporary())
    }
}

/// A protocol whose colours follow from ancestry.
pub(crate) trait Rule {
    /// What an output can hold; the default is nothing.
    type Colour: Clone + Default;

    /// How much of the past matters. Cheap, and without allocation where the answer is nothing.
    fn need(tx: &Transaction) -> Need;

    /// The colours of all outputs, and what readers disagree about. `spent` has one item per input if colours are needed, and one
    /// otherwise.
    fn color(tx: &Transaction, spent: &[Spent<'_, Self::Colour>]) -> (Vec<Self::Colour>, Option<Ambiguity>);

    /// Whose readers disagree.
    const PROTOCOL: Protocol;
}

/// Results of one protocol by transaction.
type Memo<C> = HashMap<Txid, Arc<Cells<C>>>;

/// Colours coins and remembers what it has found.
pub struct Ancestry<S> {
    source: S,
    most: usize,
    open_assets: Memo<open_assets::Colour>,
    colu: Memo<Vec<colu::Piece>>,
    epobc: Memo<epobc::Colour>,
    missing: BTreeSet<Txid>,
}

/// Ancestors that one walk visits at most, unless told otherwise.
pub const MOST_ANCESTORS: usize = 250_000;

impl<S: Source> Ancestry<S> {
    /// Knows nothing yet.
    pub fn new(source: S) -> Ancestry<S> {
        Ancestry {
            source,
            most: MOST_ANCESTORS,
            open_assets: HashMap::new(),
            colu: HashMap::new(),
            epobc: HashMap::new(),
            missing: BTreeSet::new(),
        }
    }

    /// Visits at most `most` ancestors per protocol and question.
    #[must_use]
    pub fn at_most(mut self, most: usize) -> Ancestry<S> {
        self.most = most;
        self
    }

    /// Where ancestors come from.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Ancestors that were asked for and not at hand. Fetch them, then [`Ancestry::retry`].
    pub fn missing(&self) -> &BTreeSet<Txid> {
        &self.missing
    }

    /// Forgets what more data may settle.
    pub fn retry(&mut self) {
        self.missing.clear();
        self.open_assets.retain(|_, cells| !cells.is_temporary());
        self.colu.retain(|_, cells| !cells.is_temporary());
        self.epobc.retain(|_, cells| !cells.is_temporary());
    }

    /// What a coin holds.
    pub fn verdict(&mut self, coin: OutPoint) -> Verdict {
        let verdicts = self.verdicts(coin.txid);
        match usize::try_from(coin.vout).ok().and_then(|vout| verdicts.into_iter().nth(vout)) {
            Some(verdict) => verdict,
            None => Verdict::Unknown(Doubt::MissingAncestor(coin.txid)),
        }
    }

    /// What each output of a transaction holds; empty when the transaction is not at hand.
    pub fn verdicts(&mut self, txid: Txid) -> Vec<Verdict> {
        match fetch(&self.source, txid) {
            Ok(tx) => self.verdicts_of(&tx),
            Err(_) => {
                self.missing.insert(txid);
                Vec::new()
            }
        }
    }

    /// What each output of a transaction would hold, signed and broadcast or not.
    pub fn verdicts_of(&mut self, tx: &Transaction) -> Vec<Verdict> {
        let (open_assets, colu, epobc) = (self.open_assets(tx), self.colu(tx), self.epobc(tx));
        let claims = |vout: usize| {
            let held = |asset, quantity| Holding { asset, quantity };
            let mut holdings = Vec::new();
            holdings.extend(open_assets.outputs[vout].map(|(id, quantity)| held(Asset::OpenAssets(id), quantity)));
            let pieces = colu.outputs[vout].iter().filter(|piece| piece.amount > 0);
            holdings.extend(pieces.map(|piece| held(Asset::Colu(piece.asset), piece.amount)));
            holdings.extend(epobc.outputs[vout].map(|(id, units)| held(Asset::Epobc(id), units)));
            holdings
        };
        let doubt = open_assets.doubt.or(colu.doubt).or(epobc.doubt);
        (0..tx.output.len()).map(|vout| verdict(claims(vout), doubt)).collect()
    }

    /// The Open Assets colours of a transaction's outputs, by the specification, and why they may be read otherwise.
    pub fn open_assets_of(&mut self, tx: &Transaction) -> (Vec<open_assets::Colour>, Option<Doubt>) {
        let cells = self.open_assets(tx);
        (cells.outputs.clone(), cells.doubt)
    }

    /// The Colu pieces on a transaction's outputs by the official algorithm, and why they may be read otherwise.
    pub fn colu_of(&mut self, tx: &Transaction) -> (Vec<Vec<colu::Piece>>, Option<Doubt>) {
        let cells = self.colu(tx);
        (cells.outputs.clone(), cells.doubt)
    }

    /// The EPOBC colours of a transaction's outputs.
    pub fn epobc_of(&mut self, tx: &Transaction) -> (Vec<epobc::Colour>, Option<Doubt>) {
        let cells = self.epobc(tx);
        (cells.outputs.clone(), cells.doubt)
    }

    fn open_assets(&mut self, tx: &Transaction) -> Arc<Cells<open_assets::Colour>> {
        walk::<open_assets::Rule, S>(&self.source, &mut self.open_assets, &mut self.missing, self.most, tx)
    }

    fn colu(&mut self, tx: &Transaction) -> Arc<Cells<Vec<colu::Piece>>> {
        walk::<colu::Rule, S>(&self.source, &mut self.colu, &mut self.missing, self.most, tx)
    }

    fn epobc(&mut self, tx: &Transaction) -> Arc<Cells<epobc::Colour>> {
        walk::<epobc::Rule, S>(&self.source, &mut self.epobc, &mut self.missing, self.most, tx)
    }
}

fn verdict(holdings: Vec<Holding>, doubt: Option<Doubt>) -> Verdict {
    if let Some(doubt) = doubt {
        return Verdict::Unknown(doubt);
    }
    let Some(first) = holdings.first().map(|holding| holding.asset.protocol()) else { return Verdict::Plain };
    match holdings.iter().map(|holding| holding.asset.protocol()).find(|protocol| *protocol != first) {
        Some(other) => Verdict::Unknown(Doubt::SeveralProtocols(first, other)),
        None => Verdict::Coloured(holdings),
    }
}

fn fetch(source: &impl Source, txid: Txid) -> Result<Arc<Transaction>, Doubt> {
    let tx = source.transaction(&txid).ok_or(Doubt::MissingAncestor(txid))?;
    if tx.compute_txid() == txid { Ok(tx) } else { Err(Doubt::ForgedAncestor(txid)) }
}

/// Colours `tx` and whatever ancestors that takes, deepest first, on a stack of our own: ancestries are longer than call stacks.
fn walk<R: Rule, S: Source>(
    source: &S,
    memo: &mut Memo<R::Colour>,
    missing: &mut BTreeSet<Txid>,
    most: usize,
    tx: &Transaction,
) -> Arc<Cells<R::Colour>> {
    if R::need(tx) == Need::Nothing {
        return nothing(tx);
    }
    let txid = tx.compute_txid();
    let mut loaded: HashMap<Txid, Result<Arc<Transaction>, Doubt>> = HashMap::new();
    let mut stack: Vec<(Txid, Arc<Transaction>)> = vec![(txid, Arc::new(tx.clone()))];
    while let Some((txid, tx)) = stack.last().cloned() {
        if memo.contains_key(&txid) {
            stack.pop();
            continue;
        }
        let before = stack.len();
        let mut doubt = None;
        let need = R::need(&tx);
        let relevant = match need {
            Need::Nothing | Need::Itself => 0,
            Need::FirstOutput => 1,
            Need::Colours => tx.input.len(),
        };
        let mut creators = Vec::with_capacity(relevant);
        for input in &tx.input[..relevant.min(tx.input.len())] {
            let parent = input.previous_output.txid;
            let room = loaded.len() < most || loaded.contains_key(&parent);
            let creator = match room {
                true => loaded.entry(parent).or_insert_with(|| fetch(source, parent)).clone(),
                false => Err(Doubt::TooManyAncestors(most)),
            };
            match creator {
                Ok(creator) => {
                    if need == Need::Colours && !memo.contains_key(&parent) {
                        if R::need(&creator) == Need::Nothing {
                            memo.insert(parent, nothing(&creator));
                        } else {
                            stack.push((parent, creator.clone()));
                        }
                    }
                    creators.push(creator);
                }
                Err(why) => {
                    if !matches!(why, Doubt::TooManyAncestors(_)) {
                        missing.insert(parent);
                    }
                    doubt = doubt.or(Some(why));
                }
            }
        }
        if stack.len() > before && doubt.is_none() {
            continue;
        }
        stack.truncate(before);
        let cells = match doubt {
            Some(doubt) => Arc::new(Cells { doubt: Some(doubt), ..Cells::clone(&nothing(&tx)) }),
            None => color::<R>(txid, &tx, &creators, memo, need),
        };
        memo.insert(txid, cells);
        stack.pop();
    }
    memo.get(&txid).cloned().expect("BUG: the walk ends with its start coloured")
}

fn color<R: Rule>(
    txid: Txid,
    tx: &Transaction,
    creators: &[Arc<Transaction>],
    memo: &Memo<R::Colour>,
    need: Need,
) -> Arc<Cells<R::Colour>> {
    let uncoloured = R::Colour::default();
    let mut spent = Vec::with_capacity(creators.len());
    for (input, creator) in tx.input.iter().zip(creators) {
        let parent = input.previous_output.txid;
        let vout = usize::try_from(input.previous_output.vout).unwrap_or(usize::MAX);
        // An index past the end: no block could hold such a spender.
        let Some(output) = creator.output.get(vout) else {
            return Arc::new(Cells { doubt: Some(Doubt::MissingAncestor(parent)), ..Cells::clone(&nothing(tx)) });
        };
        let colour = match memo.get(&parent).filter(|_| need == Need::Colours) {
            Some(cells) if cells.doubt.is_some() => {
                return Arc::new(Cells { doubt: cells.doubt, ..Cells::clone(&nothing(tx)) });
            }
            Some(cells) => cells.outputs.get(vout).unwrap_or(&uncoloured),
            None => &uncoloured,
        };
        spent.push(Spent { output, creator, colour });
    }
    let (outputs, why) = R::color(tx, &spent);
    Arc::new(Cells { outputs, doubt: why.map(|why| Doubt::Ambiguous { protocol: R::PROTOCOL, txid, why }) })
}

fn nothing<C: Clone + Default>(tx: &Transaction) -> Arc<Cells<C>> {
    Arc::new(Cells { outputs: vec![C::default(); tx.output.len()], doubt: None })
}
