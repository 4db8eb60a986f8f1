//! Building transactions that issue, move and burn.
//!
//! Outputs: the deliveries, the message, then change: whatever no payment moves falls to the last output, so the last output is ours.

use super::message::Leftover;
use super::payment::without_gaps;
use super::{AssetId, Issuance, MOST, Message, MessageFault, Payment, Piece, Policy, multisig, sffc};
use crate::distribution::{Cost, Limits};
use crate::layout::{Layout, data, dust};
use bitcoin::{OutPoint, ScriptBuf, Weight};
use causeway_vocab::{Code, Refusal};

/// A coin with its pieces in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// Which.
    pub outpoint: OutPoint,
    /// What it holds.
    pub pieces: Vec<Piece>,
}

/// Units for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which asset.
    pub asset: AssetId,
    /// How many units, at least one.
    pub amount: u64,
    /// Who gets them.
    pub script: ScriptBuf,
}

/// Hashes of an issuance's or transfer's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metadata {
    /// SHA-1 info hash of the torrent that holds the file.
    pub torrent: Option<[u8; 20]>,
    /// SHA-256 of the file; needs the torrent.
    pub sha2: Option<[u8; 32]>,
}

/// Issues an asset to `shares`; what they leave of it goes to `change`. `first` must be an uncoloured coin of the issuer.
pub fn issue(
    first: OutPoint,
    issuance: Issuance,
    shares: &[(ScriptBuf, u64)],
    change: &ScriptBuf,
    metadata: Metadata,
) -> Result<Layout, Refusal> {
    let given = shares.iter().try_fold(0u64, |sum, (_, amount)| sum.checked_add(whole(*amount).ok()?));
    if issuance.amount == 0 {
        return Err(Refusal::new(Code::BadAmount).with("precision", issuance.divisibility));
    }
    if issuance.amount > MOST {
        return Err(above());
    }
    if given.is_none_or(|given| given > issuance.amount) {
        return Err(Refusal::new(Code::InsufficientFunds).with("available", issuance.amount));
    }
    let moves: Vec<_> = shares.iter().map(|(script, amount)| (0, Some(script.clone()), *amount)).collect();
    layout(vec![first], Some(issuance), &moves, change, metadata)
}

/// Moves units from `coins`, spent in this order, and burns others; what is left returns to `change`.
///
/// Pieces are paid out in the order in which they lie on the coins. Pieces that do not merge make a payment of their own each.
pub fn transfer(
    coins: &[Coin],
    deliveries: &[Delivery],
    burns: &[(AssetId, u64)],
    change: &ScriptBuf,
    metadata: Metadata,
) -> Result<Layout, Refusal> {
    let wants = deliveries.iter().map(|delivery| (delivery.asset, Some(&delivery.script), delivery.amount));
    let mut wants: Vec<_> = wants.chain(burns.iter().map(|(asset, amount)| (*asset, None, *amount))).collect();
    if wants.is_empty() {
        return Err(Code::NoRecipients.into());
    }
    for (asset, _, amount) in &wants {
        whole(*amount)?;
        let needed = sum(wants.iter().filter(|want| want.0 == *asset).map(|want| want.2))?;
        let available = coins.iter().flat_map(|coin| &coin.pieces).filter(|piece| piece.asset == *asset);
        let available = sum(available.map(|piece| piece.amount))?;
        if needed > available {
            let refusal = Refusal::new(Code::InsufficientFunds).with("asset", asset);
            return Err(refusal.with("available", available).with("needed", needed));
        }
    }
    // Walk the pieces as colouring will. A piece can only be passed over by leaving its input, so one that stands before a wanted piece
    // on the same coin and is not used up goes to ourselves explicitly.
    let mut moves: Vec<(usize, Option<ScriptBuf>, u64)> = Vec::new();
    for (input, coin) in coins.iter().enumerate() {
        for (place, piece) in coin.pieces.iter().enumerate() {
            let mut left = piece.amount;
            for (_, script, amount) in wants.iter_mut().filter(|want| want.0 == piece.asset) {
                let taken = left.min(*amount);
                if taken > 0 {
                    moves.push((input, script.cloned(), taken));
                    *amount -= taken;
                    left -= taken;
                }
            }
            let wanted_later = |later: &Piece| wants.iter().any(|want| want.0 == later.asset && want.2 > 0);
            if left > 0 && coin.pieces[place + 1..].iter().any(wanted_later) {
                moves.push((input, Some(change.clone()), left));
            }
        }
    }
    layout(coins.iter().map(|coin| coin.outpoint).collect(), None, &moves, change, metadata)
}

/// What a recipient adds to a transfer: a byte for the output and the amount.
pub fn cost(script: &ScriptBuf, amount: u64) -> Cost {
    let mut written = Vec::new();
    // An amount past the bound is refused by the plan; here it only counts as long.
    let payload = sffc::write(amount, &mut written).map_or(80, |()| written.len() + 1);
    Cost { weight: dust(script.clone()).weight() + Weight::from_vb_unchecked(payload as u64), payload }
}

/// What a transfer without metadata from one coin holds at most. Every further coin may take two bytes more.
pub fn limits(coins: usize) -> Limits {
    let payload = 76usize.saturating_sub(2 * coins.saturating_sub(1));
    Limits { weight: Weight::from_wu(360_000), payload, recipients: 30 }
}

/// Lays out payments `(input, to or burn, amount)` in order; consecutive ones of one input to one script merge where that is the same.
fn layout(
    inputs: Vec<OutPoint>,
    issuance: Option<Issuance>,
    moves: &[(usize, Option<ScriptBuf>, u64)],
    change: &ScriptBuf,
    metadata: Metadata,
) -> Result<Layout, Refusal> {
    let build = |shift: u8| -> Result<(Message, Vec<Leftover>, Vec<ScriptBuf>), Refusal> {
        let (mut scripts, mut payments): (Vec<ScriptBuf>, Vec<Payment>) = (Vec::new(), Vec::new());
        for (input, script, amount) in moves {
            let Some(script) = script else {
                payments.push(Payment::burn(*input, *amount));
                continue;
            };
            let index = scripts.iter().position(|known| known == script).unwrap_or_else(|| {
                scripts.push(script.clone());
                scripts.len() - 1
            });
            let output = u8::try_from(index).ok().and_then(|index| index.checked_add(shift)).ok_or_else(too_long)?;
            payments.push(Payment::to(*input, output, *amount));
        }
        let (message, leftover) =
            Message::compose(issuance, without_gaps(&payments), metadata.torrent, metadata.sha2, issuance.is_some())
                .map_err(refusal)?;
        Ok((message, leftover, scripts))
    };
    let (mut message, mut leftover, mut scripts) = build(0)?;
    if !leftover.is_empty() {
        // The hashes take output 0. Indexes are one byte either way, so they still do not fit.
        (message, leftover, scripts) = build(1)?;
    }
    let mut outputs = Vec::new();
    if !leftover.is_empty() {
        outputs.push(dust(multisig::script(None, &leftover).ok_or_else(too_long)?));
    }
    outputs.extend(scripts.into_iter().map(dust));
    outputs.push(data(message.script().map_err(refusal)?));
    let change_at = outputs.len();
    outputs.push(dust(change.clone()));
    Ok(Layout { change_at, ..Layout::new(inputs, outputs) })
}

fn whole(amount: u64) -> Result<u64, Refusal> {
    match amount {
        0 => Err(Refusal::new(Code::BadAmount).with("precision", 0)),
        1..=MOST => Ok(amount),
        _ => Err(above()),
    }
}

fn sum(mut amounts: impl Iterator<Item = u64>) -> Result<u64, Refusal> {
    amounts.try_fold(0u64, u64::checked_add).ok_or_else(above)
}

fn above() -> Refusal {
    Refusal::new(Code::AboveSupply).with("most", MOST)
}

fn too_long() -> Refusal {
    Refusal::new(Code::BadRequest).with("field", "recipients")
}

fn refusal(fault: MessageFault) -> Refusal {
    match fault {
        MessageFault::AmountTooLarge => above(),
        MessageFault::Divisibility => Refusal::new(Code::BadContract).with("field", "divisibility"),
        MessageFault::Operation => Refusal::new(Code::BadRequest).with("field", "metadata"),
        _ => too_long(),
    }
}

impl Piece {
    /// `amount` units of `asset`.
    pub fn of(asset: AssetId, amount: u64) -> Piece {
        Piece { asset, policy: asset.policy, amount }
    }

    /// Whether it merges with others of its asset.
    pub fn merges(&self) -> bool {
        self.policy == Policy::Aggregatable
    }
}

#[cfg(test)]
mod tests {
    use super::super::color;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn outpoint(n: usize) -> OutPoint {
        OutPoint { vout: u32::try_from(n).expect("small"), ..OutPoint::null() }
    }

    fn asset(n: u8) -> AssetId {
        AssetId { locked: true, policy: Policy::ALL[usize::from(n % 3)], hash: [n; 20], divisibility: 0 }
    }

    fn spk(n: u8) -> ScriptBuf {
        ScriptBuf::from_bytes([&[0x00, 0x14][..], &[n; 20]].concat())
    }

    /// Units by script and asset once the layout is mined.
    fn outcome(layout: &Layout, coins: &[Coin], issued: Option<Piece>) -> BTreeMap<(ScriptBuf, AssetId), u64> {
        let inputs: Vec<&[Piece]> = match issued {
            Some(_) => vec![&[]],
            None => coins.iter().map(|coin| coin.pieces.as_slice()).collect(),
        };
        let message = layout
            .outputs
            .iter()
            .find_map(|output| match crate::payload::of(&output.script_pubkey) {
                Some(crate::payload::Payload::Single(data)) => Message::read(data).ok(),
                _ => None,
            })
            .expect("a message");
        let coloring = color(issued, &inputs, &message.payments, layout.outputs.len());
        assert!(!coloring.overflow);
        let mut got = BTreeMap::new();
        for (output, pieces) in layout.outputs.iter().zip(coloring.outputs) {
            for piece in pieces.iter().filter(|piece| piece.amount > 0) {
                *got.entry((output.script_pubkey.clone(), piece.asset)).or_default() += piece.amount;
            }
        }
        got
    }

    proptest! {
        #[test]
        fn a_transfer_gives_everybody_what_was_asked(
            held in prop::collection::vec(prop::collection::vec((0u8..4, 1u64..1_000), 1..4), 1..4),
            parts in prop::collection::vec((0u8..4, 1u64..400, 0u8..5), 0..4),
            burns in prop::collection::vec((0u8..4, 1u64..300), 0..2),
        ) {
            let coins: Vec<Coin> = held.iter().enumerate().map(|(n, pieces)| Coin {
                outpoint: outpoint(n),
                pieces: pieces.iter().map(|(a, amount)| Piece::of(asset(*a), *amount)).collect(),
            }).collect();
            let deliveries: Vec<Delivery> =
                parts.iter().map(|(a, amount, to)| Delivery { asset: asset(*a), amount: *amount, script: spk(*to) }).collect();
            let burnt: Vec<(AssetId, u64)> = burns.iter().map(|(a, amount)| (asset(*a), *amount)).collect();
            let total = |a: u8| held.iter().flatten().filter(|(of, _)| *of == a).map(|(_, q)| q).sum::<u64>();
            let asked = |a: u8| parts.iter().filter(|p| p.0 == a).map(|p| p.1).sum::<u64>()
                + burns.iter().filter(|b| b.0 == a).map(|b| b.1).sum::<u64>();
            match transfer(&coins, &deliveries, &burnt, &spk(99), Metadata::default()) {
                Ok(layout) => {
                    let mut wanted: BTreeMap<(ScriptBuf, AssetId), u64> = BTreeMap::new();
                    for delivery in &deliveries {
                        *wanted.entry((delivery.script.clone(), delivery.asset)).or_default() += delivery.amount;
                    }
                    for a in 0..4 {
                        if total(a) > asked(a) {
                            wanted.insert((spk(99), asset(a)), total(a) - asked(a));
                        }
                    }
                    prop_assert_eq!(outcome(&layout, &coins, None), wanted);
                    prop_assert_eq!(&layout.outputs[layout.outputs.len() - 1].script_pubkey, &spk(99));
                }
                Err(refusal) if refusal.code == Code::InsufficientFunds => prop_assert!((0..4).any(|a| asked(a) > total(a))),
                Err(refusal) if refusal.code == Code::NoRecipients => prop_assert!(parts.is_empty() && burns.is_empty()),
                // More payments than 80 bytes hold.
                Err(refusal) => prop_assert_eq!(refusal.code, Code::BadRequest),
            }
        }

        #[test]
        fn an_issuance_gives_everybody_what_was_asked(
            amount in 1u64..10_000,
            shares in prop::collection::vec((0u8..9, 1u64..2_000), 0..8),
            torrent in any::<[u8; 20]>(), sha2 in any::<[u8; 32]>(), hashes in 0..3,
        ) {
            let issuance = Issuance { amount, divisibility: 2, locked: true, policy: Some(Policy::Aggregatable) };
            let shares: Vec<_> = shares.into_iter().map(|(to, amount)| (spk(to), amount)).collect();
            let metadata = Metadata { torrent: (hashes > 0).then_some(torrent), sha2: (hashes > 1).then_some(sha2) };
            let given: u64 = shares.iter().map(|(_, amount)| amount).sum();
            let planned = issue(outpoint(0), issuance, &shares, &spk(99), metadata);
            prop_assert_eq!(planned.is_ok(), given <= amount);
            if let Ok(layout) = planned {
                let piece = Piece::of(AssetId::locked(outpoint(0), Policy::Aggregatable, 2), amount);
                let mut wanted: BTreeMap<(ScriptBuf, AssetId), u64> = BTreeMap::new();
                for (script, amount) in shares.iter().cloned().chain([(spk(99), amount - given)]).filter(|share| share.1 > 0) {
                    *wanted.entry((script, piece.asset)).or_default() += amount;
                }
                prop_assert_eq!(outcome(&layout, &[], Some(piece)), wanted);
            }
        }
    }
}
