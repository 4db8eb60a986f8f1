//! The parameters in force at a block, for watchmen that may be far behind the tip.

use crate::error::SandboxError;
use crate::node::Node;
use causeway_federation::watchman::PegInForce;
use causeway_sidechain::consensus::federation::initial_params;
use causeway_sidechain::consensus::pak::PakList;
use causeway_vocab::{Height, SidechainParams};
use elements::BlockHeader;
use elements::dynafed::{FullParams, Params};

/// Those of one epoch.
pub(super) struct InForce {
    start: Height,
    pub(super) peg: PegInForce,
    /// Who may peg out; `None` where everybody may.
    pub(super) pak: Option<PakList>,
}

impl InForce {
    /// Those of the block at `height`, which the node has. `known` are those of an earlier block.
    pub(super) fn at(node: &Node, height: Height, known: Option<InForce>) -> Result<InForce, SandboxError> {
        let params = node.params();
        // Block 1 spells the parameters out because it is the first that can, the others because an epoch begins with them.
        let start = (height - height % params.epoch_length).max(params.dynafed_active_from_height).min(height);
        match known.filter(|known| known.start == start) {
            Some(known) => Ok(known),
            None => Ok(InForce::of(params, start, &read(node, start)?)),
        }
    }

    fn of(params: &SidechainParams, start: Height, full: &FullParams) -> InForce {
        let fedpegscript = bitcoin::ScriptBuf::from_bytes(full.fedpegscript.clone());
        InForce {
            start,
            peg: PegInForce { program: full.fedpeg_program.clone(), fedpegscript },
            pak: params.enforce_pak.then(|| PakList::from_extension_space(&full.extension_space)),
        }
    }
}

fn read(node: &Node, start: Height) -> Result<FullParams, SandboxError> {
    let bytes = node.header_bytes(start, 1)?.pop().expect("BUG: the node has the block");
    let header: BlockHeader = elements::encode::deserialize(&bytes).expect("BUG: the node stores valid blocks");
    Ok(match header.dynafed_current() {
        Some(Params::Full(full)) => full.clone(),
        _ => initial_params(node.params()),
    })
}
