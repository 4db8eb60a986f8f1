//! Votes on the federation's own parameters.

use crate::functionary::{Federation, witness_limit};
use crate::tweak::{PegScript, PegScriptFault};
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
    /// Nobody could ever spend what pays the peg script, or nobody could tell.
    #[error("the proposed peg script cannot be spent: {0}")]
    PegScript(PegScriptFault),
    /// The peg program is not the P2WSH form of the peg script: deposits would be lost.
    #[error("the proposed peg program is not that of the proposed peg script")]
    PegProgram,
    /// A key of the peg script is none of a known federation's: too few could sign.
    #[error("too few keys of the proposed peg script belong to known functionaries")]
    UnknownPegKeys,
    /// The peg script in force has an emergency path and the proposed one has none: coins of functionaries that are gone would be lost.
    #[error("the proposed peg script has no emergency path, the one in force has")]
    MissingEmergencyPath,
    /// Too few keys of the emergency path are a known quorum's.
    #[error("too few keys of the proposed emergency path belong to a known quorum")]
    UnknownEmergencyKeys,
    /// The emergency path would open sooner than the one in force by more than half: before functionaries could move the coins.
    #[error("the proposed emergency path opens after {delay} blocks, the least is {least}")]
    EmergencyTooSoon {
        /// Blocks proposed.
        delay: u16,
        /// The least that is voted for.
        least: u16,
    },
    /// An entry of the extension space is no pair of keys, or there are too many: every peg-out would be refused.
    #[error("the proposed extension space would freeze peg-outs")]
    ExtensionSpace,
}

/// Checks a proposal before this functionary votes for it. `current` are the parameters in force, `known` the federations whose members are
/// known to hold their keys. A peg that stays as it is is not looked at. An empty extension space is allowed: it freezes peg-outs on
/// purpose where they need authorisation, and means nothing elsewhere.
pub fn check_proposal(proposed: &FullParams, current: &FullParams, known: &[Federation]) -> Result<(), LockoutFault> {
    let signers = known.iter().find(|federation| federation.signblockscript() == proposed.signblockscript);
    let signers = signers.ok_or(LockoutFault::UnknownSigners)?;
    let needed = witness_limit(signers.sign_threshold(), signers.block_script().len());
    if proposed.signblock_witness_limit < needed {
        return Err(LockoutFault::WitnessLimit { needed, limit: proposed.signblock_witness_limit });
    }
    if proposed.fedpegscript != current.fedpegscript || proposed.fedpeg_program != current.fedpeg_program {
        check_peg(proposed, current, known)?;
    }
    let pair = |entry: &[u8]| {
        entry.len() == ENTRY && entry.chunks_exact(33).all(|key| bitcoin::secp256k1::PublicKey::from_slice(key).is_ok())
    };
    if proposed.extension_space.len() > MAX_ENTRIES || !proposed.extension_space.iter().all(|entry| pair(entry)) {
        return Err(LockoutFault::ExtensionSpace);
    }
    Ok(())
}

fn check_peg(proposed: &FullParams, current: &FullParams, known: &[Federation]) -> Result<(), LockoutFault> {
    let script = bitcoin::Script::from_bytes(&proposed.fedpegscript);
    let peg = PegScript::read(script).map_err(LockoutFault::PegScript)?;
    if script.to_p2wsh() != proposed.fedpeg_program {
        return Err(LockoutFault::PegProgram);
    }
    let held = |key| known.iter().any(|federation| federation.members().iter().any(|member| member.fedpeg == key));
    if peg.keys.iter().filter(|key| held(**key)).count() < usize::from(peg.k) {
        return Err(LockoutFault::UnknownPegKeys);
    }
    let before = PegScript::parse(bitcoin::Script::from_bytes(&current.fedpegscript)).and_then(|peg| peg.emergency);
    let Some(path) = peg.emergency else {
        return if before.is_some() { Err(LockoutFault::MissingEmergencyPath) } else { Ok(()) };
    };
    let quorums = || known.iter().filter_map(Federation::emergency);
    let held = path.keys.iter().filter(|key| quorums().any(|quorum| quorum.keys.contains(key))).count();
    if held < usize::from(path.k) {
        return Err(LockoutFault::UnknownEmergencyKeys);
    }
    let least = before.map_or(1, |before| before.delay.div_ceil(2));
    if path.delay < least {
        return Err(LockoutFault::EmergencyTooSoon { delay: path.delay, least });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functionary::tests::{emergency, federation, keys};

    #[test]
    fn a_vote_is_cast_until_the_parameters_are_in_force() {
        let (old, new) = (params_of(&federation(0, 5, 3), vec![]), params_of(&federation(9, 4, 3), vec![]));
        assert_eq!(vote(Some(&new), &old), Params::Full(new.clone()));
        assert_eq!(vote(Some(&new), &new), Params::Null);
        assert_eq!(vote(None, &old), Params::Null);
    }

    fn with_peg(params: &mut FullParams, script: &bitcoin::Script) {
        (params.fedpeg_program, params.fedpegscript) = (script.to_p2wsh(), script.to_bytes());
    }

    #[test]
    fn a_proposal_that_would_lock_the_federation_out_is_refused() {
        let old = federation(0, 5, 3).with_emergency(emergency(3, 2, 144)).expect("workable");
        let new = federation(9, 4, 3).with_emergency(emergency(3, 2, 100)).expect("workable");
        let known = [old.clone(), new.clone()];
        let (current, good) = (params_of(&old, vec![]), params_of(&new, vec![]));
        assert_eq!(check_proposal(&good, &current, &known), Ok(()));
        type Break = fn(&mut FullParams);
        let cases: [(LockoutFault, Break); 11] = [
            (LockoutFault::UnknownSigners, |p| p.signblockscript = federation(30, 3, 2).signblockscript()),
            (LockoutFault::WitnessLimit { needed: 364, limit: 363 }, |p| p.signblock_witness_limit -= 1),
            (LockoutFault::PegScript(PegScriptFault::Form), |p| p.fedpegscript.push(0x51)),
            (LockoutFault::PegScript(PegScriptFault::Form), |p| with_peg(p, bitcoin::Script::from_bytes(&[0x6a]))),
            (LockoutFault::PegScript(PegScriptFault::Threshold { k: 5, n: 4 }), |p| p.fedpegscript[0] = 0x55),
            (LockoutFault::PegProgram, |p| p.fedpegscript = federation(0, 5, 3).fedpegscript().into_bytes()),
            (LockoutFault::UnknownPegKeys, |p| with_peg(p, &federation(30, 3, 2).fedpegscript())),
            (LockoutFault::MissingEmergencyPath, |p| with_peg(p, &federation(9, 4, 3).fedpegscript())),
            (LockoutFault::UnknownEmergencyKeys, |p| {
                let strangers = crate::functionary::Emergency { keys: vec![keys(40).member().fedpeg], threshold: 1, delay: 100 };
                with_peg(p, &federation(9, 4, 3).with_emergency(strangers).expect("workable").fedpegscript());
            }),
            (LockoutFault::EmergencyTooSoon { delay: 71, least: 72 }, |p| {
                with_peg(p, &federation(9, 4, 3).with_emergency(emergency(3, 2, 71)).expect("workable").fedpegscript());
            }),
            (LockoutFault::ExtensionSpace, |p| p.extension_space.push(vec![5; 66])),
        ];
        for (fault, spoil) in cases {
            let mut bad = good.clone();
            spoil(&mut bad);
            assert_eq!(check_proposal(&bad, &current, &known), Err(fault));
        }
        // A peg that stays is not looked at, in whatever form the chain began with.
        let mut nested = current.clone();
        nested.fedpeg_program = nested.fedpeg_program.to_p2sh();
        let more = FullParams { extension_space: vec![[keys(1).member().block.serialize(); 2].concat()], ..nested.clone() };
        assert_eq!(check_proposal(&more, &nested, &known), Ok(()));
        assert_eq!(check_proposal(&nested, &current, &known), Err(LockoutFault::PegProgram));
    }
}
