//! Stakes of the first phase: found on Bitcoin by a data output, registered later.

use crate::script::Terms;
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::{Builder, Instruction, ScriptBuf};
use bitcoin::{OutPoint, Script, Transaction, XOnlyPublicKey};

/// Bytes of the data output's payload.
const SIZE: usize = 71;
const VERSION: u8 = 0;

/// What the data output of a first-phase staking transaction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    /// Names the network of stakes, such as `bbn1`.
    pub tag: [u8; 4],
    /// The staker.
    pub staker: XOnlyPublicKey,
    /// The finality provider.
    pub provider: XOnlyPublicKey,
    /// Relative lock of the staking output, in blocks.
    pub staking_time: u16,
}

impl Announcement {
    /// The announcement of terms with one finality provider; `None` for several.
    pub fn of(tag: [u8; 4], terms: &Terms) -> Option<Announcement> {
        let [provider] = terms.providers[..] else { return None };
        Some(Announcement { tag, staker: terms.staker, provider, staking_time: terms.staking_time })
    }

    /// The data output's script.
    pub fn script(&self) -> ScriptBuf {
        let mut data = [0; SIZE];
        data[..4].copy_from_slice(&self.tag);
        data[4] = VERSION;
        data[5..37].copy_from_slice(&self.staker.serialize());
        data[37..69].copy_from_slice(&self.provider.serialize());
        data[69..].copy_from_slice(&self.staking_time.to_be_bytes());
        Builder::new().push_opcode(OP_RETURN).push_slice(data).into_script()
    }

    /// Reads a data output's script; `None` when it is no announcement.
    pub fn read(script: &Script) -> Option<Announcement> {
        let mut instructions = script.instructions_minimal();
        let (Some(Ok(Instruction::Op(OP_RETURN))), Some(Ok(Instruction::PushBytes(data))), None) =
            (instructions.next(), instructions.next(), instructions.next())
        else {
            return None;
        };
        let data: &[u8; SIZE] = data.as_bytes().try_into().ok()?;
        if data[4] != VERSION {
            return None;
        }
        Some(Announcement {
            tag: data[..4].try_into().ok()?,
            staker: XOnlyPublicKey::from_slice(&data[5..37]).ok()?,
            provider: XOnlyPublicKey::from_slice(&data[37..69]).ok()?,
            staking_time: u16::from_be_bytes([data[69], data[70]]),
        })
    }

    /// Recognises a first-phase staking transaction: exactly one announcement with this tag, and exactly one output that pays to the
    /// stake it announces. Covenant and unbonding time come from the parameters of that height.
    pub fn find(
        transaction: &Transaction,
        tag: [u8; 4],
        complete: impl FnOnce(&Announcement) -> Terms,
    ) -> Option<(Announcement, OutPoint)> {
        let said = transaction.output.iter().filter_map(|output| Announcement::read(&output.script_pubkey));
        let mut said = said.filter(|announcement| announcement.tag == tag);
        let (Some(announcement), None) = (said.next(), said.next()) else { return None };
        let script = complete(&announcement).trees().ok()?.staking.script_pubkey();
        let mut places = (0u32..).zip(&transaction.output).filter(|(_, output)| output.script_pubkey == script);
        let (Some((vout, _)), None) = (places.next(), places.next()) else { return None };
        Some((announcement, OutPoint { txid: transaction.compute_txid(), vout }))
    }
}
