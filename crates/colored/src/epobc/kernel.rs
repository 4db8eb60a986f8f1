//! Which inputs an output's satoshis come from, and so its colour.

use super::Tag;
use crate::ancestry::{Ambiguity, Need, Rule as AncestryRule, Spent};
use crate::asset::Protocol;
use bitcoin::{OutPoint, Transaction, Txid};
use serde::{Deserialize, Serialize};

/// A colour is named by the transaction that issued it, on its output 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ColourId(pub Txid);

impl ColourId {
    /// The descriptor that ngcccbase exchanges, with the height of the issuing block.
    pub fn descriptor(&self, height: u32) -> String {
        format!("{self}:{height}")
    }

    /// The coin that issued it.
    pub fn genesis(&self) -> OutPoint {
        OutPoint { txid: self.0, vout: 0 }
    }
}

impl std::fmt::Display for ColourId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "epobc:{}:0", self.0)
    }
}

/// What an output holds: a colour and how many units, never zero.
pub type Colour = Option<(ColourId, u64)>;

/// An input as the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input<C> {
    /// Value of the output it spends.
    pub satoshi: u64,
    /// Colour and units of that output.
    pub colour: Option<(C, u64)>,
    /// Tag of the transaction that made it.
    pub tag: Option<Tag>,
}

/// The satoshis that are units; `None` when the padding leaves none.
fn units(satoshi: u64, tag: Tag) -> Option<u64> {
    satoshi.checked_sub(tag.padding()).filter(|units| *units > 0)
}

/// Colours the outputs of a genesis: the first, if its padding leaves it any units.
pub fn genesis<C: Copy>(tag: Tag, outputs: &[u64], colour: C) -> Vec<Option<(C, u64)>> {
    let first = |(vout, satoshi): (usize, &u64)| (vout == 0).then(|| units(*satoshi, tag)).flatten().map(|units| (colour, units));
    outputs.iter().enumerate().map(first).collect()
}

/// Colours the outputs of a transfer: each from the inputs that its units overlap, if those have one colour and enough of it.
pub fn color<C: Copy + Eq>(tag: Tag, inputs: &[Input<C>], outputs: &[u64]) -> Vec<Option<(C, u64)>> {
    // Ranges of units, up to the first input that has none.
    let mut ranges = Vec::with_capacity(inputs.len());
    let mut end = 0u128;
    for input in inputs {
        let Some(units) = input.tag.and_then(|tag| units(input.satoshi, tag)) else { break };
        let start = end;
        end += u128::from(units);
        ranges.push((start, end, input.colour));
    }
    let (mut start, mut broken, mut first) = (0u128, false, 0);
    let mut colours = Vec::with_capacity(outputs.len());
    for satoshi in outputs {
        let wanted = units(*satoshi, tag).filter(|_| !broken);
        // An output without units hides where the units behind it come from.
        let Some(wanted) = wanted else {
            broken = true;
            colours.push(None);
            continue;
        };
        let end = start + u128::from(wanted);
        first += ranges[first..].iter().take_while(|range| range.1 <= start).count();
        let affecting = ranges[first..].iter().take_while(|range| range.0 < end);
        let mut sum = Some((None, 0u128));
        for (_, _, colour) in affecting {
            sum = match (sum, colour) {
                (Some((None, _)), Some((colour, value))) => Some((Some(*colour), u128::from(*value))),
                (Some((Some(of), sum)), Some((colour, value))) if of == *colour => Some((Some(of), sum + u128::from(*value))),
                _ => None,
            };
        }
        colours.push(match sum {
            Some((Some(colour), sum)) if sum >= u128::from(wanted) => Some((colour, wanted)),
            _ => None,
        });
        start = end;
    }
    colours
}

/// The protocol in the walk over ancestors.
pub(crate) struct Rule;

impl AncestryRule for Rule {
    type Colour = Colour;
    const PROTOCOL: Protocol = Protocol::Epobc;

    fn need(tx: &Transaction) -> Need {
        match Tag::of(tx) {
            None => Need::Nothing,
            Some(Tag { genesis: true, .. }) => Need::Itself,
            Some(_) => Need::Colours,
        }
    }

    fn color(tx: &Transaction, spent: &[Spent<'_, Colour>]) -> (Vec<Colour>, Option<Ambiguity>) {
        let outputs: Vec<u64> = tx.output.iter().map(|output| output.value.to_sat()).collect();
        let colours = match Tag::of(tx) {
            None => vec![None; outputs.len()],
            Some(tag) if tag.genesis => genesis(tag, &outputs, ColourId(tx.compute_txid())),
            Some(tag) => {
                let input = |spent: &Spent<'_, Colour>| Input {
                    satoshi: spent.output.value.to_sat(),
                    colour: *spent.colour,
                    tag: Tag::of(spent.creator),
                };
                color(tag, &spent.iter().map(input).collect::<Vec<_>>(), &outputs)
            }
        };
        (colours, None)
    }
}
