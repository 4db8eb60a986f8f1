//! Moving units from inputs to outputs.

use super::message::is_disputed;
use super::{AssetId, Kind, MOST, Message, MessageFault, Payment, Policy, Target};
use crate::ancestry::{Ambiguity, Need, Rule as AncestryRule, Spent};
use crate::asset::Protocol;
use crate::payload::{self, Payload};
use bitcoin::{OutPoint, Script, Transaction, TxOut};

/// Units of one asset on an output. An output holds a list of pieces, whose order matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<A = AssetId> {
    /// Which asset.
    pub asset: A,
    /// How pieces of it merge.
    pub policy: Policy,
    /// How many units. Zero only when nothing was issued, which still takes a place in the list.
    pub amount: u64,
}

/// Pieces that we follow through one transaction. A longer list is made to waste our memory, and its coin stays frozen.
const MOST_PIECES: usize = 1_000;

/// What a message does to a transaction's coins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coloring<A = AssetId> {
    /// The pieces on each output.
    pub outputs: Vec<Vec<Piece<A>>>,
    /// The payments could not be carried out: everything went to the last output instead.
    pub overflow: bool,
}

/// Carries out payments on the pieces of the inputs, the issued piece first among those of input 0.
///
/// What no payment moves goes to the last output. `A` is whatever tells assets apart.
pub fn color<A: Copy + Eq>(
    issued: Option<Piece<A>>,
    inputs: &[&[Piece<A>]],
    payments: &[Payment],
    output_count: usize,
) -> Coloring<A> {
    let mut lists: Vec<Vec<Piece<A>>> = inputs.iter().map(|list| list.to_vec()).collect();
    if let (Some(issued), Some(first)) = (issued, lists.first_mut()) {
        first.insert(0, issued);
    }
    let mut outputs = vec![Vec::new(); output_count];
    let mut left = lists.clone();
    let overflow = pay(&mut outputs, &mut left, payments).is_none();
    if overflow {
        outputs = vec![Vec::new(); output_count];
        left = lists;
    }
    if let Some(last) = outputs.last_mut() {
        last.extend(merged(&left));
    }
    Coloring { outputs, overflow }
}

/// Carries out the payments; `None` when one cannot be.
fn pay<A: Copy + Eq>(outputs: &mut [Vec<Piece<A>>], inputs: &mut [Vec<Piece<A>>], payments: &[Payment]) -> Option<()> {
    let (mut input, mut place) = (0, 0);
    for payment in payments {
        let target = match payment.target {
            _ if payment.percent || payment.input >= inputs.len() => return None,
            Target::Range(_) => return None,
            Target::Output(output) if usize::from(output) >= outputs.len() => return None,
            Target::Output(output) => Some(usize::from(output)),
            Target::Burn => None,
        };
        // The cursor only moves forward.
        if payment.amount > 0 && input < payment.input {
            (input, place) = (payment.input, 0);
        }
        let (mut wanted, mut continued) = (payment.amount, false);
        while wanted > 0 {
            let list = inputs.get_mut(input)?;
            let piece = list.get_mut(place)?;
            let taken = wanted.min(piece.amount);
            if let Some(target) = target {
                let output = &mut outputs[target];
                match output.last_mut() {
                    Some(last) if continued => {
                        if last.asset != piece.asset || piece.policy != Policy::Aggregatable {
                            return None;
                        }
                        last.amount = last.amount.saturating_add(taken);
                    }
                    _ => output.push(Piece { amount: taken, ..*piece }),
                }
            }
            piece.amount -= taken;
            wanted -= taken;
            continued = true;
            if piece.amount == 0 {
                place += 1;
                while inputs.get(input).is_some_and(|list| place >= list.len()) {
                    (input, place) = (input + 1, 0);
                }
            }
        }
    }
    Some(())
}

/// All pieces in order, those that merge merged into the first of their asset.
fn merged<A: Copy + Eq>(inputs: &[Vec<Piece<A>>]) -> Vec<Piece<A>> {
    let mut pieces: Vec<Piece<A>> = Vec::new();
    for piece in inputs.iter().flatten() {
        let first = match piece.policy {
            Policy::Aggregatable => pieces.iter_mut().find(|first| first.asset == piece.asset),
            _ => None,
        };
        match first {
            Some(first) => first.amount = first.amount.saturating_add(piece.amount),
            None if piece.amount > 0 => pieces.push(*piece),
            None => {}
        }
    }
    pieces
}

/// The asset that a message issues when its first input is `first` and spends `spent`.
pub fn issued(message: &Message, first: OutPoint, spent: &TxOut) -> Option<Piece> {
    let Kind::Issuance(issuance) = message.kind else { return None };
    let policy = issuance.policy?;
    let asset = match issuance.locked {
        true => AssetId::locked(first, policy, issuance.divisibility),
        false => AssetId::unlocked(&spent.script_pubkey, policy, issuance.divisibility),
    };
    Some(Piece { asset, policy, amount: issuance.amount })
}

/// What an output script means to this protocol.
enum Sight {
    Nothing,
    Message(Message),
    /// Strict readers refuse it, lax ones do not; and to those it may issue.
    Disputed {
        may_issue: bool,
    },
}

fn sight(script: &Script) -> Sight {
    match payload::of(script) {
        Some(Payload::Single(data)) if data.starts_with(b"CC") => match Message::read(data) {
            Ok(message) => Sight::Message(message),
            Err(_) if is_disputed(data) => Sight::Disputed { may_issue: data.get(3).is_some_and(|operation| *operation < 0x10) },
            Err(_) => Sight::Nothing,
        },
        Some(Payload::Irregular(rest)) if payload::pushes(rest).next().is_some_and(|data| data.starts_with(b"CC")) => {
            Sight::Disputed { may_issue: true }
        }
        _ => Sight::Nothing,
    }
}

/// The message of a transaction that we build must be its only one, undisputed and of the current version.
pub fn only_message(tx: &Transaction) -> Result<(usize, Message), MessageFault> {
    let mut found = None;
    for (vout, output) in tx.output.iter().enumerate() {
        match sight(&output.script_pubkey) {
            Sight::Nothing => {}
            Sight::Message(message) if found.is_none() && !message.old => found = Some((vout, message)),
            _ => return Err(MessageFault::Tag),
        }
    }
    found.ok_or(MessageFault::Tag)
}

/// The protocol in the walk over ancestors.
pub(crate) struct Rule;

impl AncestryRule for Rule {
    type Colour = Vec<Piece>;
    const PROTOCOL: Protocol = Protocol::Colu;

    fn need(tx: &Transaction) -> Need {
        let speaks = || tx.output.iter().any(|output| !matches!(sight(&output.script_pubkey), Sight::Nothing));
        if !tx.is_coinbase() && !tx.input.is_empty() && speaks() { Need::Colours } else { Need::Nothing }
    }

    fn color(tx: &Transaction, spent: &[Spent<'_, Vec<Piece>>]) -> (Vec<Vec<Piece>>, Option<Ambiguity>) {
        let inputs: Vec<&[Piece]> = spent.iter().map(|spent| spent.colour.as_slice()).collect();
        let nothing = vec![Vec::new(); tx.output.len()];
        if inputs.iter().map(|list| list.len()).sum::<usize>() > MOST_PIECES {
            return (nothing, Some(Ambiguity::TooManyPieces));
        }
        // Without units there is nothing to disagree about.
        let mut matters = inputs.iter().any(|list| !list.is_empty());
        let (mut message, mut doubt, mut count) = (None, None, 0);
        for output in &tx.output {
            match sight(&output.script_pubkey) {
                Sight::Nothing => continue,
                Sight::Message(read) => {
                    matters |= matches!(read.kind, Kind::Issuance(_));
                    message.get_or_insert(read);
                }
                Sight::Disputed { may_issue } => {
                    matters |= may_issue;
                    doubt = Some(Ambiguity::MalformedPayload);
                }
            }
            count += 1;
        }
        if count > 1 {
            doubt = Some(Ambiguity::SeveralMarkers);
        }
        let Some(message) = message else { return (nothing, doubt.filter(|_| matters)) };
        let first = tx.input.first().zip(spent.first());
        let created = first.and_then(|(input, spent)| issued(&message, input.previous_output, spent.output));
        let issues = matches!(message.kind, Kind::Issuance(_));
        if issues && created.is_none() || message.old {
            doubt = doubt.or(Some(Ambiguity::MalformedPayload));
        }
        let coloring = color(created, &inputs, &message.payments, tx.output.len());
        if coloring.outputs.iter().map(Vec::len).sum::<usize>() > MOST_PIECES {
            return (nothing, Some(Ambiguity::TooManyPieces));
        }
        if coloring.outputs.iter().flatten().any(|piece| piece.amount > MOST) {
            doubt = Some(Ambiguity::AmountTooLarge);
        }
        (coloring.outputs, doubt.filter(|_| matters))
    }
}
