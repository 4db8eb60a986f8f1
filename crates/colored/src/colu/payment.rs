//! One instruction: so much from the current input to an output.

use super::{MessageFault, sffc};
use crate::bytes::Bytes;

const SKIP: u8 = 0x80;
const RANGE: u8 = 0x40;
const PERCENT: u8 = 0x20;
const INDEX: u8 = 0x1f;

/// Where units go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To one output, 0 to 31 (30 in burns).
    Output(u8),
    /// To outputs 0 to this one, 13 bits. Colouring refuses it.
    Range(u16),
    /// Nowhere; in burns only.
    Burn,
}

/// An instruction to move units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// Index of the input that the units come from at the earliest.
    pub input: usize,
    /// Where they go.
    pub target: Target,
    /// The amount is a percentage. Colouring refuses it.
    pub percent: bool,
    /// How many units, at most [`super::MOST`].
    pub amount: u64,
}

impl Payment {
    /// `amount` units of `input` for one output.
    pub fn to(input: usize, output: u8, amount: u64) -> Payment {
        Payment { input, target: Target::Output(output), percent: false, amount }
    }

    /// Burns `amount` units of `input`.
    pub fn burn(input: usize, amount: u64) -> Payment {
        Payment { input, target: Target::Burn, percent: false, amount }
    }

    /// Appends the instruction. `skip` says that the next one uses the next input.
    pub fn write(&self, skip: bool, burns: bool, out: &mut Vec<u8>) -> Result<(), MessageFault> {
        let flags = if skip { SKIP } else { 0 } | if self.percent { PERCENT } else { 0 };
        match self.target {
            Target::Burn if !burns => return Err(MessageFault::Burn),
            Target::Burn => out.push(flags | INDEX),
            Target::Output(INDEX) if burns => return Err(MessageFault::Output),
            Target::Output(output) if output > INDEX => return Err(MessageFault::Output),
            Target::Output(output) => out.push(flags | output),
            Target::Range(last) => {
                let [high, low] = last.to_be_bytes();
                if high > INDEX {
                    return Err(MessageFault::Output);
                }
                out.extend_from_slice(&[flags | RANGE | high, low]);
            }
        }
        sffc::write(self.amount, out)
    }

    /// Reads one instruction of `input`, and whether the next uses the next input.
    pub(super) fn read(bytes: &mut Bytes<'_>, input: usize, burns: bool) -> Result<(Payment, bool), MessageFault> {
        let lead = bytes.byte().ok_or(MessageFault::Truncated)?;
        let index = lead & INDEX;
        let target = if lead & RANGE != 0 {
            Target::Range(u16::from_be_bytes([index, bytes.byte().ok_or(MessageFault::Truncated)?]))
        } else if burns && index == INDEX {
            Target::Burn
        } else {
            Target::Output(index)
        };
        let amount = sffc::read_amount(bytes)?;
        Ok((Payment { input, target, percent: lead & PERCENT != 0, amount }, lead & SKIP != 0))
    }

    /// Reads a byte string that is exactly one instruction, and its skip bit.
    pub fn read_exact(bytes: &[u8], burns: bool) -> Result<(Payment, bool), MessageFault> {
        let mut bytes = Bytes(bytes);
        let read = Payment::read(&mut bytes, 0, burns)?;
        if bytes.is_empty() { Ok(read) } else { Err(MessageFault::Tag) }
    }
}

/// Appends instructions, which must start at input 0 and rise by one at most: the encoding cannot jump.
pub(super) fn write_all(payments: &[Payment], burns: bool, out: &mut Vec<u8>) -> Result<(), MessageFault> {
    if payments.first().is_some_and(|first| first.input != 0) {
        return Err(MessageFault::InputGap);
    }
    for (index, payment) in payments.iter().enumerate() {
        let step = match payments.get(index + 1) {
            Some(next) => next.input.checked_sub(payment.input).ok_or(MessageFault::InputGap)?,
            None => 0,
        };
        match step {
            0 | 1 => payment.write(step == 1, burns, out)?,
            _ => return Err(MessageFault::InputGap),
        }
    }
    Ok(())
}

/// Reads instructions to the end.
pub(super) fn read_all(bytes: &mut Bytes<'_>, burns: bool) -> Result<Vec<Payment>, MessageFault> {
    let (mut payments, mut input) = (Vec::new(), 0);
    while !bytes.is_empty() {
        let (payment, skip) = Payment::read(bytes, input, burns)?;
        payments.push(payment);
        input += usize::from(skip);
    }
    Ok(payments)
}

/// The same payments with empty ones put in where they jump over inputs, so that they can be written.
///
/// They must be in the order of their inputs. Empty payments go to output 0 and move nothing.
pub fn without_gaps(payments: &[Payment]) -> Vec<Payment> {
    let mut filled: Vec<Payment> = Vec::with_capacity(payments.len());
    for payment in payments {
        let next = filled.last().map_or(0, |last| last.input + 1);
        filled.extend((next..payment.input).map(|input| Payment::to(input, 0, 0)));
        filled.push(*payment);
    }
    filled
}
