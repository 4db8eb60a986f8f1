//! Peg-outs: outputs that burn on this chain what the federation then pays on the parent.

use super::pak::PakList;
use elements::{AssetId, Script, TxOut};

/// A peg-out as its output script says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pegout {
    /// Genesis hash of the parent chain.
    pub parent_genesis: bitcoin::BlockHash,
    /// Where the federation is to pay.
    pub destination: bitcoin::ScriptBuf,
    /// Further pushes: with PAK the whitelisted key and the proof.
    pub extra: Vec<Vec<u8>>,
}

/// Why a peg-out is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PegoutFault {
    /// The list in force refuses every peg-out.
    #[error("peg-outs are frozen: no authorisation keys")]
    Frozen,
    /// Not exactly a 33-byte key and a proof behind the destination.
    #[error("authorisation key or proof missing or malformed")]
    Malformed,
    /// The destination is none of P2PKH, P2WPKH and P2SH-P2WPKH of the whitelisted key.
    #[error("the destination is not that of the authorised key")]
    Destination,
    /// The ring signature does not hold for the list in force.
    #[error("the authorisation proof does not hold")]
    Proof,
}

impl Pegout {
    /// Reads an output script; `None` when it is no peg-out script (to any parent). Total.
    pub fn parse(script: &Script) -> Option<Pegout> {
        let _ = script;
        todo!()
    }

    /// The peg-out that consensus sees in an output: to this parent, explicit, in the pegged asset. `None` for every other output.
    /// With it the value in satoshi.
    pub fn of_output(output: &TxOut, parent_genesis: &bitcoin::BlockHash, pegged: AssetId) -> Option<(Pegout, u64)> {
        let _ = (output, parent_genesis, pegged);
        todo!()
    }

    /// The output script.
    pub fn to_script(&self) -> Script {
        todo!()
    }

    /// Checks the authorisation against the list in force. Only chains with `enforce_pak` ask for one.
    pub fn check_pak(&self, list: &PakList) -> Result<(), PegoutFault> {
        let _ = list;
        todo!()
    }
}
