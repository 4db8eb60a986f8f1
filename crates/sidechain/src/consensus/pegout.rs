//! Peg-outs: outputs that burn on this chain what the federation then pays on the parent.

use super::pak::PakList;
use bitcoin::hashes::{Hash as _, hash160};
use elements::confidential::Asset;
use elements::opcodes::all::OP_RETURN;
use elements::script::{Builder, Instruction};
use elements::{AssetId, Script, TxOut};
use secp256k1_zkp::PublicKey;

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
    ///
    /// OP_RETURN, a push of 32 bytes, the destination (which may be empty: such a peg-out burns), then nothing but pushes of data.
    pub fn parse(script: &Script) -> Option<Pegout> {
        let mut instructions = script.instructions();
        if instructions.next()?.ok()? != Instruction::Op(OP_RETURN) {
            return None;
        }
        let mut data = || match instructions.next() {
            Some(Ok(Instruction::PushBytes(bytes))) => Some(bytes.to_vec()),
            _ => None,
        };
        let genesis: [u8; 32] = data()?.try_into().ok()?;
        let destination = data()?;
        let mut extra = Vec::new();
        for instruction in instructions {
            match instruction {
                Ok(Instruction::PushBytes(bytes)) => extra.push(bytes.to_vec()),
                Ok(Instruction::Op(_)) => return None,
                // elementsd stops reading at a push that runs past the end and still sees a peg-out.
                Err(_) => break,
            }
        }
        Some(Pegout { parent_genesis: bitcoin::BlockHash::from_byte_array(genesis), destination: destination.into(), extra })
    }

    /// The peg-out that consensus sees in an output: to this parent, explicit, in the pegged asset. `None` for every other output.
    /// With it the value in satoshi.
    pub fn of_output(output: &TxOut, parent_genesis: &bitcoin::BlockHash, pegged: AssetId) -> Option<(Pegout, u64)> {
        let pegout = Pegout::parse(&output.script_pubkey)?;
        let value = output.value.explicit()?;
        (output.asset == Asset::Explicit(pegged) && pegout.parent_genesis == *parent_genesis).then_some((pegout, value))
    }

    /// A peg-out with its authorisation behind the destination.
    pub fn authorised(
        parent_genesis: bitcoin::BlockHash,
        destination: bitcoin::ScriptBuf,
        whitelisted: &PublicKey,
        proof: Vec<u8>,
    ) -> Pegout {
        Pegout { parent_genesis, destination, extra: vec![whitelisted.serialize().to_vec(), proof] }
    }

    /// The output script.
    pub fn to_script(&self) -> Script {
        let mut builder = Builder::new()
            .push_opcode(OP_RETURN)
            .push_slice(&self.parent_genesis.to_byte_array())
            .push_slice(self.destination.as_bytes());
        for push in &self.extra {
            builder = builder.push_slice(push);
        }
        builder.into_script()
    }

    /// Checks the authorisation against the list in force. Only chains with `enforce_pak` ask for one.
    pub fn check_pak(&self, list: &PakList) -> Result<(), PegoutFault> {
        if list.is_reject() {
            return Err(PegoutFault::Frozen);
        }
        let [key, proof] = self.extra.as_slice() else { return Err(PegoutFault::Malformed) };
        let key: &[u8; 33] = key.as_slice().try_into().map_err(|_| PegoutFault::Malformed)?;
        let whitelisted = PublicKey::from_slice(key).map_err(|_| PegoutFault::Malformed)?;
        if !pays_to(&self.destination, key) {
            return Err(PegoutFault::Destination);
        }
        if list.verify(&whitelisted, proof) { Ok(()) } else { Err(PegoutFault::Proof) }
    }
}

/// Whether the script is P2PKH, P2WPKH or P2SH-P2WPKH of the key.
pub fn pays_to(destination: &bitcoin::Script, key: &[u8; 33]) -> bool {
    let hash = hash160::Hash::hash(key);
    let p2wpkh = bitcoin::ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_raw_hash(hash));
    let forms = [bitcoin::ScriptBuf::new_p2pkh(&bitcoin::PubkeyHash::from_raw_hash(hash)), p2wpkh.to_p2sh(), p2wpkh];
    forms.iter().any(|form| form.as_script() == destination)
}
