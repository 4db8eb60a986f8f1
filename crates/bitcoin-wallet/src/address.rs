//! Reading an address and saying what is wrong with it.

use bitcoin::Address;
use causeway_vocab::{Realm, Refusal};

/// Reads a Bitcoin address of the realm.
///
/// Refused with `SidechainAddress` (`instead`: `peg-in`), `WrongNetwork` (`found`, `wanted`), or `BadAddress`.
pub fn parse_address(text: &str, realm: &Realm) -> Result<Address, Refusal> {
    let _ = (text, realm);
    todo!()
}
