//! The payload: `CC`, version, operation, hashes of the metadata, body.

use super::payment::{read_all, write_all};
use super::{MessageFault, Payment, Policy, Target, sffc};
use crate::bytes::Bytes;
use crate::payload::{self, Payload};
use bitcoin::{Script, ScriptBuf};

const TAG: [u8; 2] = *b"CC";
const VERSION: u8 = 2;
/// Version 1 counts issued amounts in whole coins; its readers disagree.
const OLD_VERSION: u8 = 1;
/// Bytes of a payload that every node relays.
const LONGEST: usize = 80;

/// What an issuance creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuance {
    /// Units, at most [`super::MOST`].
    pub amount: u64,
    /// Decimal places, 0 to 7.
    pub divisibility: u8,
    /// Never more than these.
    pub locked: bool,
    /// How pieces merge; `None` for the number that has no meaning. Such a message is not written.
    pub policy: Option<Policy>,
}

/// What a message does besides moving units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Creates units on the first input, which the payments then move.
    Issuance(Issuance),
    /// Only moves.
    Transfer,
    /// Moves, and may burn.
    Burn,
}

/// What the payload carries of the metadata: the SHA-1 of its torrent and the SHA-256 of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// There is none.
    Nothing,
    /// There is none, and rules may follow later; in issuances only.
    NothingButRules,
    /// The torrent, without hash of the file. In issuances rules may follow.
    Torrent([u8; 20]),
    /// The torrent, and no rules may follow; not in issuances.
    TorrentWithoutRules([u8; 20]),
    /// Both.
    Both([u8; 20], [u8; 32]),
    /// The torrent; the hash of the file is in a multisig output.
    TorrentHere([u8; 20]),
    /// Both are in a multisig output.
    BothElsewhere,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it does.
    pub kind: Kind,
    /// What it carries of the metadata.
    pub carried: Carried,
    /// How it moves units.
    pub payments: Vec<Payment>,
    /// Of the old version: read, never written, and in doubt.
    pub old: bool,
}

/// A hash that did not fit and goes to a multisig output, in the order of the official encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// SHA-1 of the torrent.
    Torrent([u8; 20]),
    /// SHA-256 of the file.
    Sha2([u8; 32]),
}

impl Message {
    /// Reads a payload strictly: every instruction whole, every amount in bounds.
    pub fn read(payload: &[u8]) -> Result<Message, MessageFault> {
        let mut bytes = Bytes(payload);
        if bytes.array() != Some(TAG) {
            return Err(MessageFault::Tag);
        }
        let version = bytes.byte().ok_or(MessageFault::Truncated)?;
        if version != VERSION && version != OLD_VERSION {
            return Err(MessageFault::Version);
        }
        let operation = bytes.byte().ok_or(MessageFault::Truncated)?;
        let place = place(operation).ok_or(MessageFault::Operation)?;
        let mut torrent = || bytes.array::<20>().ok_or(MessageFault::Truncated);
        let carried = match place {
            Place::Nothing => Carried::Nothing,
            Place::NothingButRules => Carried::NothingButRules,
            Place::Torrent => Carried::Torrent(torrent()?),
            Place::TorrentWithoutRules => Carried::TorrentWithoutRules(torrent()?),
            Place::TorrentHere => Carried::TorrentHere(torrent()?),
            Place::Both => Carried::Both(torrent()?, bytes.array().ok_or(MessageFault::Truncated)?),
            Place::BothElsewhere => Carried::BothElsewhere,
        };
        let kind = match operation >> 4 {
            0 => {
                // The flags are the last byte of the payload, behind the payments.
                let (flags, body) = bytes.0.split_last().ok_or(MessageFault::Truncated)?;
                bytes = Bytes(body);
                let amount = sffc::read_amount(&mut bytes)?;
                let policy = Policy::ALL.get(usize::from(flags >> 2 & 3)).copied();
                Kind::Issuance(Issuance { amount, divisibility: flags >> 5, locked: flags & 0x10 != 0, policy })
            }
            1 => Kind::Transfer,
            _ => Kind::Burn,
        };
        let payments = read_all(&mut bytes, kind == Kind::Burn)?;
        Ok(Message { kind, carried, payments, old: version == OLD_VERSION })
    }

    /// The payload, at most 80 bytes.
    pub fn write(&self) -> Result<Vec<u8>, MessageFault> {
        if self.old {
            return Err(MessageFault::Version);
        }
        let mut out = TAG.to_vec();
        out.push(VERSION);
        out.push(self.operation().ok_or(MessageFault::Operation)?);
        match self.carried {
            Carried::Nothing | Carried::NothingButRules | Carried::BothElsewhere => {}
            Carried::Torrent(torrent) | Carried::TorrentWithoutRules(torrent) | Carried::TorrentHere(torrent) => {
                out.extend_from_slice(&torrent);
            }
            Carried::Both(torrent, sha2) => {
                out.extend_from_slice(&torrent);
                out.extend_from_slice(&sha2);
            }
        }
        match self.kind {
            Kind::Issuance(issuance) => {
                if issuance.divisibility > 7 {
                    return Err(MessageFault::Divisibility);
                }
                let policy = issuance.policy.ok_or(MessageFault::Operation)? as u8;
                sffc::write(issuance.amount, &mut out)?;
                write_all(&self.payments, false, &mut out)?;
                out.push(issuance.divisibility << 5 | u8::from(issuance.locked) << 4 | policy << 2);
            }
            Kind::Transfer => write_all(&self.payments, false, &mut out)?,
            Kind::Burn => write_all(&self.payments, true, &mut out)?,
        }
        if out.len() > LONGEST { Err(MessageFault::TooLong) } else { Ok(out) }
    }

    /// The output script.
    pub fn script(&self) -> Result<ScriptBuf, MessageFault> {
        payload::script(&self.write()?).ok_or(MessageFault::TooLong)
    }

    /// The message for an intent, with as many hashes in the payload as fit, as the official encoder places them.
    ///
    /// `sha2` needs `torrent`. Payments that burn make a transfer a burn.
    pub fn compose(
        issuance: Option<Issuance>,
        payments: Vec<Payment>,
        torrent: Option<[u8; 20]>,
        sha2: Option<[u8; 32]>,
        rules_allowed: bool,
    ) -> Result<(Message, Vec<Leftover>), MessageFault> {
        let burns = payments.iter().any(|payment| payment.target == Target::Burn);
        let kind = match issuance {
            Some(_) if burns => return Err(MessageFault::Burn),
            Some(issuance) => Kind::Issuance(issuance),
            None if burns => Kind::Burn,
            None => Kind::Transfer,
        };
        let placements = match (torrent, sha2, kind) {
            (Some(torrent), Some(sha2), _) => vec![
                (Carried::Both(torrent, sha2), vec![]),
                (Carried::TorrentHere(torrent), vec![Leftover::Sha2(sha2)]),
                (Carried::BothElsewhere, vec![Leftover::Torrent(torrent), Leftover::Sha2(sha2)]),
            ],
            (Some(torrent), None, Kind::Issuance(_)) => vec![(Carried::Torrent(torrent), vec![])],
            (Some(torrent), None, _) if rules_allowed => vec![(Carried::Torrent(torrent), vec![])],
            (Some(torrent), None, _) => vec![(Carried::TorrentWithoutRules(torrent), vec![])],
            (None, None, Kind::Issuance(_)) if rules_allowed => vec![(Carried::NothingButRules, vec![])],
            (None, None, _) => vec![(Carried::Nothing, vec![])],
            (None, Some(_), _) => return Err(MessageFault::Operation),
        };
        let mut message = Message { kind, carried: Carried::Nothing, payments, old: false };
        for (carried, leftover) in placements {
            message.carried = carried;
            match message.write() {
                Ok(_) => return Ok((message, leftover)),
                Err(MessageFault::TooLong) => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(MessageFault::TooLong)
    }

    /// The operation byte; `None` where the kind cannot carry that.
    pub fn operation(&self) -> Option<u8> {
        let wanted = match self.carried {
            Carried::Nothing => Place::Nothing,
            Carried::NothingButRules => Place::NothingButRules,
            Carried::Torrent(_) => Place::Torrent,
            Carried::TorrentWithoutRules(_) => Place::TorrentWithoutRules,
            Carried::Both(..) => Place::Both,
            Carried::TorrentHere(_) => Place::TorrentHere,
            Carried::BothElsewhere => Place::BothElsewhere,
        };
        let class = match self.kind {
            Kind::Issuance(_) => 0x00,
            Kind::Transfer => 0x10,
            Kind::Burn => 0x20,
        };
        (class..class + 0x10).find(|operation| place(*operation) == Some(wanted))
    }
}

/// [`Carried`] without the hashes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Nothing,
    NothingButRules,
    Torrent,
    TorrentWithoutRules,
    Both,
    TorrentHere,
    BothElsewhere,
}

fn place(operation: u8) -> Option<Place> {
    Some(match operation {
        0x01 | 0x10 | 0x20 => Place::Both,
        0x02 | 0x11 | 0x21 => Place::TorrentHere,
        0x03 | 0x12 | 0x22 => Place::BothElsewhere,
        0x04 | 0x13 | 0x23 => Place::Torrent,
        0x14 | 0x24 => Place::TorrentWithoutRules,
        0x05 | 0x15 | 0x25 => Place::Nothing,
        0x06 => Place::NothingButRules,
        _ => return None,
    })
}

/// Whether a script carries the tag at all, in a well-formed message or not.
pub(crate) fn is_tagged(script: &Script) -> bool {
    match payload::of(script) {
        None => false,
        Some(Payload::Single(data)) => data.starts_with(&TAG),
        Some(Payload::Irregular(rest)) => payload::pushes(rest).any(|data| data.starts_with(&TAG)),
    }
}

/// Whether the lax official decoder would make something of a payload that [`Message::read`] refuses.
pub(super) fn is_disputed(payload: &[u8]) -> bool {
    payload.starts_with(&TAG)
        && payload.get(3).is_some_and(|operation| place(*operation).is_some())
        && Message::read(payload).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colu::MOST;
    use proptest::prelude::*;

    fn amount() -> impl Strategy<Value = u64> {
        prop_oneof![0u64..100, 0..=MOST, Just(MOST), (1u64..1_000, 0u32..12).prop_map(|(m, e)| m * 10u64.pow(e))]
    }

    fn payments(burns: bool) -> impl Strategy<Value = Vec<Payment>> {
        let last = if burns { 30 } else { 31 };
        let target = prop_oneof![
            8 => (0u8..=last).prop_map(Target::Output),
            1 => (0u16..1 << 13).prop_map(Target::Range),
            2 => Just(if burns { Target::Burn } else { Target::Output(1) }),
        ];
        prop::collection::vec((target, prop::bool::weighted(0.1), amount(), any::<bool>()), 0..7).prop_map(|parts| {
            let mut input = 0;
            let payment = |(index, (target, percent, amount, next)): (usize, (Target, bool, u64, bool))| {
                input += usize::from(next && index > 0);
                Payment { input, target, percent, amount }
            };
            parts.into_iter().enumerate().map(payment).collect()
        })
    }

    fn message() -> impl Strategy<Value = Message> {
        let issuance = (amount(), 0u8..8, any::<bool>(), prop::sample::select(Policy::ALL.to_vec()));
        let kind = prop_oneof![
            issuance.prop_map(|(amount, divisibility, locked, policy)| {
                Kind::Issuance(Issuance { amount, divisibility, locked, policy: Some(policy) })
            }),
            Just(Kind::Transfer),
            Just(Kind::Burn),
        ];
        let hashes = (any::<[u8; 20]>(), any::<[u8; 32]>(), 0usize..7);
        kind.prop_flat_map(move |kind| (Just(kind), payments(kind == Kind::Burn), hashes.clone())).prop_map(
            |(kind, payments, (torrent, sha2, carried))| {
                let all = [
                    Carried::Nothing,
                    Carried::NothingButRules,
                    Carried::Torrent(torrent),
                    Carried::TorrentWithoutRules(torrent),
                    Carried::Both(torrent, sha2),
                    Carried::TorrentHere(torrent),
                    Carried::BothElsewhere,
                ];
                Message { kind, carried: all[carried], payments, old: false }
            },
        )
    }

    proptest! {
        #[test]
        fn a_message_reads_back_as_it_was_written(message in message()) {
            match message.write() {
                Ok(payload) => prop_assert_eq!(Message::read(&payload), Ok(message)),
                Err(fault) => prop_assert!(matches!(fault, MessageFault::TooLong | MessageFault::Operation)),
            }
        }

        #[test]
        fn reading_is_total(payload in prop::collection::vec(any::<u8>(), 0..90), version in 1u8..3, operation in 0u8..0x30) {
            let _ = Message::read(&payload);
            let payload = [&[b'C', b'C', version, operation], &payload[..]].concat();
            if let Ok(message) = Message::read(&payload) && let Ok(written) = message.write() {
                prop_assert_eq!(Message::read(&written), Ok(message));
            }
        }
    }

    #[test]
    fn what_cannot_be_said_is_not_written() {
        let message = |kind, payments: &[Payment]| {
            Message { kind, carried: Carried::Nothing, payments: payments.to_vec(), old: false }.write()
        };
        let issuance = |divisibility, policy| Kind::Issuance(Issuance { amount: 1, divisibility, locked: true, policy });
        assert_eq!(message(issuance(8, Some(Policy::Hybrid)), &[]), Err(MessageFault::Divisibility));
        assert_eq!(message(issuance(0, None), &[]), Err(MessageFault::Operation));
        assert_eq!(message(Kind::Transfer, &[Payment::to(0, 0, MOST + 1)]), Err(MessageFault::AmountTooLarge));
        assert_eq!(message(Kind::Transfer, &[Payment::to(0, 32, 1)]), Err(MessageFault::Output));
        assert_eq!(message(Kind::Burn, &[Payment::to(0, 31, 1)]), Err(MessageFault::Output));
        assert_eq!(message(Kind::Transfer, &[Payment::burn(0, 1)]), Err(MessageFault::Burn));
        for inputs in [&[1][..], &[0, 2], &[0, 1, 0]] {
            let payments: Vec<_> = inputs.iter().map(|input| Payment::to(*input, 0, 1)).collect();
            assert_eq!(message(Kind::Transfer, &payments), Err(MessageFault::InputGap));
        }
        assert_eq!(message(Kind::Transfer, &vec![Payment::to(0, 0, MOST); 10]), Err(MessageFault::TooLong));
    }
}
