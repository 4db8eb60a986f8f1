//! Open Assets addresses: a Bitcoin address that says that its owner's wallet keeps colours.
//!
//! Base58Check of 19, the Bitcoin version byte and the hash. Undefined for segwit addresses, which have no version byte.

use bitcoin::address::{AddressData, NetworkUnchecked};
use bitcoin::hashes::Hash as _;
use bitcoin::{Address, NetworkKind, PubkeyHash, ScriptHash, base58};

const NAMESPACE: u8 = 19;
const PUBKEY_HASH: [u8; 2] = [0, 111];
const SCRIPT_HASH: [u8; 2] = [5, 196];

/// Why a text is no Open Assets address, or an address has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not base58, or a wrong checksum or length.
    #[error("damaged")]
    Damaged,
    /// A plain Bitcoin address, whose owner's wallet may destroy colours.
    #[error("a plain Bitcoin address")]
    Plain,
    /// A namespace that is not Open Assets.
    #[error("of another namespace")]
    Namespace,
    /// A version byte of no known network.
    #[error("of no known network")]
    Version,
    /// A segwit address: the format has no form for it.
    #[error("segwit has no such address")]
    Segwit,
}

/// The Open Assets form of an address.
pub fn write(address: &Address, network: NetworkKind) -> Result<String, AddressFault> {
    let column = usize::from(!network.is_mainnet());
    let (version, hash) = match address.to_address_data() {
        AddressData::P2pkh { pubkey_hash } => (PUBKEY_HASH[column], pubkey_hash.to_byte_array()),
        AddressData::P2sh { script_hash } => (SCRIPT_HASH[column], script_hash.to_byte_array()),
        _ => return Err(AddressFault::Segwit),
    };
    let mut body = [NAMESPACE; 22];
    body[1] = version;
    body[2..].copy_from_slice(&hash);
    Ok(base58::encode_check(&body))
}

/// Reads an Open Assets address. Plain Bitcoin addresses are refused: an asset must not go to a wallet that cannot see it.
pub fn read(text: &str) -> Result<Address<NetworkUnchecked>, AddressFault> {
    let Ok(body) = base58::decode_check(text) else {
        let plain = text.parse::<Address<NetworkUnchecked>>().is_ok();
        return Err(if plain { AddressFault::Plain } else { AddressFault::Damaged });
    };
    let (namespace, version, hash) = match body.as_slice() {
        [namespace, version, hash @ ..] if hash.len() == 20 => (*namespace, *version, hash),
        [version, hash @ ..] if hash.len() == 20 && (PUBKEY_HASH.contains(version) || SCRIPT_HASH.contains(version)) => {
            return Err(AddressFault::Plain);
        }
        _ => return Err(AddressFault::Damaged),
    };
    if namespace != NAMESPACE {
        return Err(AddressFault::Namespace);
    }
    let network = if version == PUBKEY_HASH[0] || version == SCRIPT_HASH[0] { NetworkKind::Main } else { NetworkKind::Test };
    let damaged = |_| AddressFault::Damaged;
    let address = if PUBKEY_HASH.contains(&version) {
        Address::p2pkh(PubkeyHash::from_slice(hash).map_err(damaged)?, network)
    } else if SCRIPT_HASH.contains(&version) {
        Address::p2sh_from_hash(ScriptHash::from_slice(hash).map_err(damaged)?, network)
    } else {
        return Err(AddressFault::Version);
    };
    Ok(address.into_unchecked())
}
