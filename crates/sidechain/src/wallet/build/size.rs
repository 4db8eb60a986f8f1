//! How large a planned transaction will be once it is blinded and signed.

/// Bytes of a range proof over 52 bits whose lower bound is 1: every amount below 2^52 has one of this size.
const RANGE_PROOF: usize = 4174;
/// Bytes of one whose lower bound is 0, as outputs that hold nothing need; the bound is then left out.
const RANGE_PROOF_FROM_ZERO: usize = RANGE_PROOF - 8;
/// A surjection proof points at so many of the inputs.
const SURJECTION_TARGETS: usize = 3;
/// Bytes of a commitment, of an explicit asset, and of a nonce.
const COMMITMENT: usize = 33;

/// What the size of an input depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct InputShape {
    /// Weight of a signature and what else satisfies the script, less what an empty input has.
    pub(super) satisfaction: usize,
    /// Bytes of the peg-in witness, its count included; 1 without one.
    pub(super) pegin: usize,
    pub(super) issuance: Option<IssuanceShape>,
}

/// What the size of an issuance depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct IssuanceShape {
    pub(super) tokens: bool,
    pub(super) blinded: bool,
}

/// What the size of an output depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutputShape {
    /// Bytes of the script.
    pub(super) script: usize,
    pub(super) blinded: bool,
    /// Holds nothing.
    pub(super) empty: bool,
}

/// Size of a finished transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) weight: usize,
    /// After the discount for confidential data (ELIP-200).
    pub(super) discount_weight: usize,
}

impl Size {
    pub(super) fn vsize(&self, discount: bool) -> usize {
        if discount { self.discount_weight.div_ceil(4) } else { self.weight.div_ceil(4) }
    }
}

/// Bytes of a length prefix.
fn prefix(len: usize) -> usize {
    match len {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        _ => 5,
    }
}

fn with_prefix(len: usize) -> usize {
    prefix(len) + len
}

/// Measures a transaction. Signatures count with their largest size, everything else exactly.
pub(super) fn measure(inputs: &[InputShape], outputs: &[OutputShape]) -> Size {
    let issuances = inputs.iter().filter_map(|input| input.issuance);
    let domain = inputs.len() + issuances.map(|issuance| 1 + usize::from(issuance.tokens)).sum::<usize>();
    let surjection = 2 + domain.div_ceil(8) + 32 * (1 + domain.min(SURJECTION_TARGETS));

    // Version, flag of the witness, counts, lock time.
    let mut base = 4 + 1 + prefix(inputs.len()) + prefix(outputs.len()) + 4;
    let mut witness = 0;
    for input in inputs {
        base += 36 + 1 + 4;
        let mut issued_proofs = [0; 2];
        if let Some(IssuanceShape { tokens, blinded }) = input.issuance {
            let amount = if blinded { COMMITMENT } else { 9 };
            base += 64 + amount + if tokens { amount } else { 1 };
            if blinded {
                issued_proofs = [RANGE_PROOF, if tokens { RANGE_PROOF } else { 0 }];
            }
        }
        witness += issued_proofs.into_iter().map(with_prefix).sum::<usize>() + 1 + input.satisfaction + input.pegin;
    }
    let mut discount = 0;
    for output in outputs {
        let proofs = match output {
            OutputShape { blinded: false, .. } => [0, 0],
            OutputShape { empty: true, .. } => [surjection, RANGE_PROOF_FROM_ZERO],
            OutputShape { .. } => [surjection, RANGE_PROOF],
        };
        let proofs: usize = proofs.into_iter().map(with_prefix).sum();
        let (value, nonce) = if output.blinded { (COMMITMENT, COMMITMENT) } else { (9, 1) };
        base += COMMITMENT + value + nonce + with_prefix(output.script);
        witness += proofs;
        discount += (proofs - 2) + 4 * (value - 9) + 4 * (nonce - 1);
    }
    let weight = 4 * base + witness;
    Size { weight, discount_weight: weight - discount }
}
