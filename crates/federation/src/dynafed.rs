//! Votes on the federation's own parameters.

use crate::functionary::Federation;
use elements::dynafed::{FullParams, Params};

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
