//! Votes on the federation's own parameters.

use crate::functionary::{Federation, witness_limit};
use crate::tweak::PegScript;
use elements::dynafed::{FullParams, Params};

/// Size of an authorisation entry of the extension space: two keys.
const ENTRY: usize = 66;
/// Most entries.
const MAX_ENTRIES: usize = 255;

/// What to propose in the next block: the wanted parameters until they are in force, nothing from then on.
pub fn vote(wanted: Option<&FullParams>, current: &FullParams) -> Params {
    match wanted {
        Some(wanted) if wanted != current => Params::Full(wanted.clone()),
        _ => Params::Null,
    }
}

/// Parameters under which a federation signs and is pegged by its own script.
pub fn params_of(federation: &Federation, extension_space: Vec<Vec<u8>>) -> FullParams {
    let script = federation.fedpegscript();
    FullParams::new(
        federation.signblockscript(),
        federation.block_witness_limit(),
        script.to_p2wsh(),
        script.into_bytes(),
        extension_space,
    )
}

/// Why a functionary does not vote for parameters: with them in force, blocks could not be signed or coins not be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LockoutFault {
    /// No known federation can satisfy the signing script.
    #[error("nobody known can satisfy the proposed signing script")]
    UnknownSigners,
    /// A complete witness would be larger than the limit.
    #[error("a complete block witness needs {needed} bytes, the proposal allows {limit}")]
    WitnessLimit {
        /// Bytes needed.
        needed: u32,
        /// Bytes allowed.
        limit: u32,
    },
    /// The peg script is no bare multisig, so the watchmen could not spend.
    #[error("the proposed peg script is no k-of-n multisig")]
    PegScript,
    /// The peg program is not the P2WSH form of the peg script: deposits would be lost.
    #[error("the proposed peg program is not that of the proposed peg script")]
    PegProgram,
    /// A key of the peg script is none of a known federation's: too few could sign.
    #[error("too few keys of the proposed peg script belong to known functionaries")]
    UnknownPegKeys,
    /// An entry of the extension space is no pair of keys, or there are too many: every peg-out would be refused.
    #[error("the proposed extension space would freeze peg-outs")]
    ExtensionSpace,
}

/// Checks a proposal before this functionary votes for it. `known` are the federations whose members are known to hold their keys. An
/// empty extension space is allowed: it freezes peg-outs on purpose where they need authorisation, and means nothing elsewhere.
pub fn check_proposal(proposed: &FullParams, known: &[Federation]) -> Result<(), LockoutFault> {
    let signers = known.iter().find(|federation| federation.signblockscript() == proposed.signblockscript);
    let signers = signers.ok_or(LockoutFault::UnknownSigners)?;
    let needed = witness_limit(signers.sign_threshold(), signers.block_script().len());
    if proposed.signblock_witness_limit < needed {
        return Err(LockoutFault::WitnessLimit { needed, limit: proposed.signblock_witness_limit });
    }
    let script = bitcoin::Script::from_bytes(&proposed.fedpegscript);
    let peg = PegScript::parse(script).ok_or(LockoutFault::PegScript)?;
    if script.to_p2wsh() != proposed.fedpeg_program {
        return Err(LockoutFault::PegProgram);
    }
    let held = |key| known.iter().any(|federation| federation.members().iter().any(|member| member.fedpeg == key));
    if peg.keys.iter().filter(|key| held(**key)).count() < usize::from(peg.k) {
        return Err(LockoutFault::UnknownPegKeys);
    }
    let pair = |entry: &[u8]| {
        entry.len() == ENTRY && entry.chunks_exact(33).all(|key| bitcoin::secp256k1::PublicKey::from_slice(key).is_ok())
    };
    if proposed.extension_space.len() > MAX_ENTRIES || !proposed.extension_space.iter().all(|entry| pair(entry)) {
        return Err(LockoutFault::ExtensionSpace);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functionary::tests::federation;

    #[test]
    fn a_vote_is_cast_until_the_parameters_are_in_force() {
        let (old, new) = (params_of(&federation(0, 5, 3), vec![]), params_of(&federation(9, 4, 3), vec![]));
        assert_eq!(vote(Some(&new), &old), Params::Full(new.clone()));
        assert_eq!(vote(Some(&new), &new), Params::Null);
        assert_eq!(vote(None, &old), Params::Null);
    }

    #[test]
    fn a_proposal_that_would_lock_the_federation_out_is_refused() {
        let known = [federation(0, 5, 3), federation(9, 4, 3)];
        let good = params_of(&known[1], vec![]);
        assert_eq!(check_proposal(&good, &known), Ok(()));
        type Break = fn(&mut FullParams);
        let cases: [(LockoutFault, Break); 6] = [
            (LockoutFault::UnknownSigners, |p| p.signblockscript = federation(30, 3, 2).signblockscript()),
            (LockoutFault::WitnessLimit { needed: 364, limit: 363 }, |p| p.signblock_witness_limit -= 1),
            (LockoutFault::PegScript, |p| p.fedpegscript.push(0x51)),
            (LockoutFault::PegProgram, |p| p.fedpegscript = federation(0, 5, 3).fedpegscript().into_bytes()),
            (LockoutFault::UnknownPegKeys, |p| {
                let script = federation(30, 3, 2).fedpegscript();
                (p.fedpeg_program, p.fedpegscript) = (script.to_p2wsh(), script.into_bytes());
            }),
            (LockoutFault::ExtensionSpace, |p| p.extension_space.push(vec![5; 66])),
        ];
        for (fault, spoil) in cases {
            let mut bad = good.clone();
            spoil(&mut bad);
            assert_eq!(check_proposal(&bad, &known), Err(fault));
        }
    }
}
