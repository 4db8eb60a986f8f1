//! Reading an address and saying what is wrong with it.

use causeway_vocab::{Code, Refusal, SidechainParams};
use elements::Address;

/// Which addresses are acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidentiality {
    /// Only addresses with a blinding key.
    Required,
    /// Explicit ones, too: what is paid to them, everybody sees.
    Optional,
}

/// Reads an address of the realm's sidechain.
///
/// Refused with `BitcoinAddress` (`instead`: `peg-out`), `WrongNetwork` (`found`, `wanted`: names of chains, `found` = `unknown` when
/// only the prefix is foreign), `ExplicitAddress` when a blinding key is required, or `BadAddress`.
pub fn parse_address(text: &str, params: &SidechainParams, confidentiality: Confidentiality) -> Result<Address, Refusal> {
    let _ = (text, params, confidentiality, Code::BadAddress);
    todo!()
}
