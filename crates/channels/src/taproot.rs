//! Taproot outputs that are spent by script only, and their spends.

use bitcoin::hashes::Hash as _;
use bitcoin::key::Keypair;
use bitcoin::secp256k1::schnorr::Signature;
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::taproot::{LeafVersion, TapLeafHash, TaprootBuilder, TaprootSpendInfo};
use bitcoin::{
    OutPoint, Script, ScriptBuf, Sequence, TapSighashType, Transaction, TxIn, TxOut, Witness, XOnlyPublicKey, absolute,
    secp256k1, transaction,
};
use secp256k1_zkp::SECP256K1;

/// The point of BIP341 whose discrete logarithm nobody knows, as internal key: such an output has no key path.
pub(crate) const NUMS: [u8; 32] = [
    0x50, 0x92, 0x9b, 0x74, 0xc1, 0xa0, 0x49, 0x54, 0xb7, 0x8b, 0x4b, 0x60, 0x35, 0xe9, 0x7a, 0x5e, 0x07, 0x8a, 0x5a, 0x0f, 0x28,
    0xec, 0x96, 0xd5, 0x47, 0xbf, 0xee, 0x9a, 0xce, 0x80, 0x3a, 0xc0,
];

/// An output with two leaves and no key path.
pub(crate) fn two_leaves(first: ScriptBuf, second: ScriptBuf) -> TaprootSpendInfo {
    let internal = XOnlyPublicKey::from_slice(&NUMS).expect("BUG: the point of BIP341 is a point");
    let tree = TaprootBuilder::new().add_leaf(1, first).and_then(|tree| tree.add_leaf(1, second));
    tree.expect("BUG: two leaves of depth 1 make a tree").finalize(SECP256K1, internal).expect("BUG: the tree is complete")
}

/// An output with one leaf and no key path.
pub(crate) fn one_leaf(leaf: ScriptBuf) -> TaprootSpendInfo {
    let internal = XOnlyPublicKey::from_slice(&NUMS).expect("BUG: the point of BIP341 is a point");
    let tree = TaprootBuilder::new().add_leaf(0, leaf).expect("BUG: one leaf of depth 0 makes a tree");
    tree.finalize(SECP256K1, internal).expect("BUG: the tree is complete")
}

/// The scriptPubKey of such an output.
pub(crate) fn script_pubkey(info: &TaprootSpendInfo) -> ScriptBuf {
    ScriptBuf::new_p2tr_tweaked(info.output_key())
}

/// A transaction that spends one coin, unsigned, version 2, replaceable.
pub(crate) fn spend(coin: OutPoint, sequence: Sequence, lock_time: absolute::LockTime, output: Vec<TxOut>) -> Transaction {
    let input = TxIn { previous_output: coin, sequence, ..TxIn::default() };
    Transaction { version: transaction::Version::TWO, lock_time, input: vec![input], output }
}

/// What a signature for a leaf commits to: the only input, SIGHASH_DEFAULT.
pub(crate) fn leaf_message(tx: &Transaction, spent: &TxOut, leaf: &Script) -> secp256k1::Message {
    let hash = TapLeafHash::from_script(leaf, LeafVersion::TapScript);
    let hash = SighashCache::new(tx)
        .taproot_script_spend_signature_hash(0, &Prevouts::All(&[spent]), hash, TapSighashType::Default)
        .expect("BUG: the transaction has one input and its coin is given");
    secp256k1::Message::from_digest(hash.to_byte_array())
}

/// Signs without auxiliary randomness (BIP340 allows it): the same message gives the same signature.
pub(crate) fn sign(message: &secp256k1::Message, key: &Keypair) -> Signature {
    SECP256K1.sign_schnorr_no_aux_rand(message, key)
}

/// Whether a signature is that of a key.
pub(crate) fn is_signed(message: &secp256k1::Message, signature: &Signature, key: &XOnlyPublicKey) -> bool {
    SECP256K1.verify_schnorr(signature, message, key).is_ok()
}

/// The witness that takes the way of a leaf; `stack` from the bottom up.
pub(crate) fn leaf_witness<'a>(info: &TaprootSpendInfo, leaf: &Script, stack: impl IntoIterator<Item = &'a [u8]>) -> Witness {
    let control = info.control_block(&(leaf.to_owned(), LeafVersion::TapScript)).expect("BUG: the leaf is in the tree");
    let mut witness = Witness::new();
    for item in stack {
        witness.push(item);
    }
    witness.push(leaf);
    witness.push(control.serialize());
    witness
}
