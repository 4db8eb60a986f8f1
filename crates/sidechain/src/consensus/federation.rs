//! The federation as block headers describe it: dynafed parameters, proposals, and peg scripts with their validity.

use super::pak::PakList;
use bitcoin::hex::FromHex as _;
use bitcoin::script::ScriptBuf;
use causeway_vocab::{Height, SidechainParams};
use elements::dynafed::{ElidedRoot, FullParams, Params};
use serde::{Deserialize, Serialize};

/// First opcode of the first Liquid watchman script; proposals must not start with it.
pub(crate) const OP_DEPTH: u8 = 0x74;

/// A federation peg script that deposits may pay, and until when a claim of such a deposit is certain to be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fedpeg {
    /// Height of the first block of the epoch that has it in force.
    pub epoch_start: Height,
    /// Untweaked output script on the parent chain: P2WSH, or P2SH for P2SH-P2WSH.
    pub program: ScriptBuf,
    /// Untweaked witness script.
    pub script: ScriptBuf,
}

impl Fedpeg {
    /// The last height at which a claim is accepted even if the federation changes at every epoch. Ask for a safe margin below it:
    /// the deposit must be deep enough by then.
    pub fn guaranteed_valid_until_height(&self, params: &SidechainParams) -> Height {
        let epoch = self.epoch_start - self.epoch_start % params.epoch_length;
        epoch.saturating_add(params.total_valid_epochs.saturating_mul(params.epoch_length)).saturating_sub(1)
    }
}

/// Why a proposal of new parameters is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProposalFault {
    /// A proposal must be full.
    #[error("a proposal must carry full parameters")]
    NotFull,
    /// The signing script is not a native witness program.
    #[error("the proposed signing script is no native witness program")]
    SigningScript,
    /// The peg program is not a native witness program.
    #[error("the proposed peg program is no native witness program")]
    PegProgram,
    /// The peg program is not the hash of the peg script.
    #[error("the proposed peg program is not the hash of the proposed script")]
    PegScriptMismatch,
    /// The peg script starts with OP_DEPTH.
    #[error("the proposed peg script starts with OP_DEPTH")]
    OpDepth,
    /// With PAK enforced: an extension space that is no list of authorisation keys.
    #[error("the proposed extension space is no list of authorisation keys")]
    ExtensionSpace,
}

/// The parameters in force before any dynafed transition, as the first dynafed block must spell them out.
///
/// The bare signing script becomes P2WSH, the peg script P2SH-P2WSH (`ComputeNextBlockFullCurrentParameters` in dynafed.cpp of Elements).
/// Entries of `first_extension_space` that are not hex count as empty.
pub fn initial_params(params: &SidechainParams) -> FullParams {
    let fedpeg = ScriptBuf::from_bytes(params.fedpegscript.to_bytes());
    FullParams {
        signblockscript: params.signblockscript.to_v0_p2wsh(),
        signblock_witness_limit: params.genesis_max_block_witness,
        fedpeg_program: fedpeg.to_p2wsh().to_p2sh(),
        fedpegscript: fedpeg.into_bytes(),
        extension_space: params.first_extension_space.iter().map(|hex| Vec::from_hex(hex).unwrap_or_default()).collect(),
    }
}

/// The elided root of full parameters: what their compact form must carry.
pub fn elided_root(full: &FullParams) -> ElidedRoot {
    match full.clone().into_compact() {
        Params::Compact { elided_root, .. } => elided_root,
        Params::Null | Params::Full(_) => unreachable!("BUG: compacting full parameters gives compact ones"),
    }
}

/// Checks a proposal against the full parameters in force at its block.
pub fn check_proposal(proposed: &Params, current: &FullParams, enforce_pak: bool) -> Result<(), ProposalFault> {
    let proposed = match proposed {
        Params::Null => return Ok(()),
        Params::Compact { .. } => return Err(ProposalFault::NotFull),
        Params::Full(full) => full,
    };
    if proposed.signblockscript != current.signblockscript && !proposed.signblockscript.is_witness_program() {
        return Err(ProposalFault::SigningScript);
    }
    if proposed.fedpeg_program != current.fedpeg_program || proposed.fedpegscript != current.fedpegscript {
        if !proposed.fedpeg_program.is_witness_program() {
            return Err(ProposalFault::PegProgram);
        }
        if proposed.fedpeg_program.as_bytes()[0] == 0 {
            let script = bitcoin::Script::from_bytes(&proposed.fedpegscript);
            if script.to_p2wsh() != proposed.fedpeg_program {
                return Err(ProposalFault::PegScriptMismatch);
            }
            if proposed.fedpegscript.first() == Some(&OP_DEPTH) {
                return Err(ProposalFault::OpDepth);
            }
        }
    }
    // Without PAK the extension space is free, as in Elements.
    if enforce_pak
        && proposed.extension_space != current.extension_space
        && !proposed.extension_space.is_empty()
        && PakList::from_extension_space(&proposed.extension_space).is_reject()
    {
        return Err(ProposalFault::ExtensionSpace);
    }
    Ok(())
}

/// Serde for full parameters: consensus encoding in hex, exact in every format.
pub(crate) mod full_params_hex {
    use super::FullParams;
    use bitcoin::hex::{DisplayHex as _, FromHex as _};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use std::sync::Arc;

    pub(crate) fn serialize<S: Serializer>(full: &Arc<FullParams>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&elements::encode::serialize(full.as_ref()).as_hex())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<FullParams>, D::Error> {
        let hex = String::deserialize(deserializer)?;
        let bytes = Vec::<u8>::from_hex(&hex).map_err(D::Error::custom)?;
        elements::encode::deserialize(&bytes).map(Arc::new).map_err(D::Error::custom)
    }
}
