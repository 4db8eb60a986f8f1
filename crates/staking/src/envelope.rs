//! Transactions of the control plane: messages, fee and one signature (Cosmos SDK, SIGN_MODE_DIRECT).

use bitcoin::hashes::{Hash as _, sha256};
use prost::{Message, Name};
use secp256k1::{PublicKey, SECP256K1, SecretKey};

/// SIGN_MODE_DIRECT.
const DIRECT: i32 = 1;

/// A message with the URL of its type.
#[derive(Clone, PartialEq, Message)]
pub struct Any {
    /// The URL.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The encoded message.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

impl Any {
    /// Packs a message.
    pub fn of<M: Message + Name>(message: &M) -> Any {
        Any { type_url: M::type_url(), value: message.encode_to_vec() }
    }
}

#[derive(Clone, PartialEq, Message)]
struct Body {
    #[prost(message, repeated, tag = "1")]
    messages: Vec<Any>,
    #[prost(string, tag = "2")]
    memo: String,
}

#[derive(Clone, PartialEq, Message)]
struct Key {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct SingleMode {
    #[prost(int32, tag = "1")]
    mode: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ModeInfo {
    #[prost(message, optional, tag = "1")]
    single: Option<SingleMode>,
}

#[derive(Clone, PartialEq, Message)]
struct SignerInfo {
    #[prost(message, optional, tag = "1")]
    public_key: Option<Any>,
    #[prost(message, optional, tag = "2")]
    mode_info: Option<ModeInfo>,
    #[prost(uint64, tag = "3")]
    sequence: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Coin {
    #[prost(string, tag = "1")]
    denom: String,
    #[prost(string, tag = "2")]
    amount: String,
}

#[derive(Clone, PartialEq, Message)]
struct FeeInfo {
    #[prost(message, repeated, tag = "1")]
    amount: Vec<Coin>,
    #[prost(uint64, tag = "2")]
    gas_limit: u64,
}

#[derive(Clone, PartialEq, Message)]
struct AuthInfo {
    #[prost(message, repeated, tag = "1")]
    signer_infos: Vec<SignerInfo>,
    #[prost(message, optional, tag = "2")]
    fee: Option<FeeInfo>,
}

#[derive(Clone, PartialEq, Message)]
struct SignDoc {
    #[prost(bytes = "vec", tag = "1")]
    body_bytes: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    auth_info_bytes: Vec<u8>,
    #[prost(string, tag = "3")]
    chain_id: String,
    #[prost(uint64, tag = "4")]
    account_number: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Raw {
    #[prost(bytes = "vec", tag = "1")]
    body_bytes: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    auth_info_bytes: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    signatures: Vec<Vec<u8>>,
}

/// What the signer's account says on the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The account's key.
    pub key: PublicKey,
    /// The account's number.
    pub account_number: u64,
    /// How many transactions it signed before.
    pub sequence: u64,
}

/// What a transaction pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// Unit, such as `ubbn`.
    pub denom: String,
    /// How much of it.
    pub amount: u64,
    /// Most gas it may use.
    pub gas: u64,
}

/// A transaction to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// The encoded messages and memo.
    pub body: Vec<u8>,
    /// The encoded signer and fee.
    pub auth_info: Vec<u8>,
    /// What is hashed and signed.
    pub sign_doc: Vec<u8>,
}

/// A signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// 64 bytes: r and s.
    pub signature: [u8; 64],
    /// What is broadcast.
    pub raw: Vec<u8>,
}

impl Unsigned {
    /// Messages of one signer.
    pub fn new(messages: Vec<Any>, memo: &str, signer: &Signer, fee: &Fee, chain_id: &str) -> Unsigned {
        let key = Any {
            type_url: "/cosmos.crypto.secp256k1.PubKey".into(),
            value: Key { key: signer.key.serialize().to_vec() }.encode_to_vec(),
        };
        let info = SignerInfo {
            public_key: Some(key),
            mode_info: Some(ModeInfo { single: Some(SingleMode { mode: DIRECT }) }),
            sequence: signer.sequence,
        };
        let amount = vec![Coin { denom: fee.denom.clone(), amount: fee.amount.to_string() }];
        let body = Body { messages, memo: memo.to_owned() }.encode_to_vec();
        let auth_info = AuthInfo { signer_infos: vec![info], fee: Some(FeeInfo { amount, gas_limit: fee.gas }) }.encode_to_vec();
        let doc = SignDoc {
            body_bytes: body.clone(),
            auth_info_bytes: auth_info.clone(),
            chain_id: chain_id.to_owned(),
            account_number: signer.account_number,
        };
        Unsigned { sign_doc: doc.encode_to_vec(), body, auth_info }
    }

    /// Signs: ECDSA over the document's SHA256 with RFC 6979's nonce and a low s.
    pub fn sign(self, secret: &SecretKey) -> Signed {
        let digest = secp256k1::Message::from_digest(sha256::Hash::hash(&self.sign_doc).to_byte_array());
        let signature = SECP256K1.sign_ecdsa(&digest, secret).serialize_compact();
        self.with_signature(signature)
    }

    /// The transaction with a signature that was made elsewhere: ECDSA over the document's SHA256, 64 bytes.
    pub fn with_signature(self, signature: [u8; 64]) -> Signed {
        let raw = Raw { body_bytes: self.body, auth_info_bytes: self.auth_info, signatures: vec![signature.to_vec()] };
        Signed { signature, raw: raw.encode_to_vec() }
    }
}

impl Signed {
    /// The hash by which the control plane finds the transaction.
    pub fn hash(&self) -> [u8; 32] {
        sha256::Hash::hash(&self.raw).to_byte_array()
    }
}

/// A transaction as somebody sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// What it asks for.
    pub messages: Vec<Any>,
    /// Who signed, as it says.
    pub key: PublicKey,
    /// How many transactions the signer had signed before, as it says.
    pub sequence: u64,
    /// What it pays.
    pub fee: Fee,
    raw: Raw,
}

impl Received {
    /// Reads a transaction of one signer who pays in one coin. `None` for any other, and for what is none.
    pub fn read(raw: &[u8]) -> Option<Received> {
        let raw = Raw::decode(raw).ok()?;
        let body = Body::decode(&raw.body_bytes[..]).ok()?;
        let auth = AuthInfo::decode(&raw.auth_info_bytes[..]).ok()?;
        let ([signer], Some(fee)) = (&auth.signer_infos[..], &auth.fee) else { return None };
        let [coin] = &fee.amount[..] else { return None };
        if signer.mode_info.as_ref()?.single.as_ref()?.mode != DIRECT {
            return None;
        }
        let key = Key::decode(&signer.public_key.as_ref()?.value[..]).ok()?;
        Some(Received {
            messages: body.messages,
            key: PublicKey::from_slice(&key.key).ok()?,
            sequence: signer.sequence,
            fee: Fee { denom: coin.denom.clone(), amount: coin.amount.parse().ok()?, gas: fee.gas_limit },
            raw,
        })
    }

    /// Whether the signer signed this for an account of a chain.
    pub fn is_signed(&self, chain_id: &str, account_number: u64) -> bool {
        let [signature] = &self.raw.signatures[..] else { return false };
        let doc = SignDoc {
            body_bytes: self.raw.body_bytes.clone(),
            auth_info_bytes: self.raw.auth_info_bytes.clone(),
            chain_id: chain_id.to_owned(),
            account_number,
        };
        let digest = secp256k1::Message::from_digest(sha256::Hash::hash(&doc.encode_to_vec()).to_byte_array());
        let signature = secp256k1::ecdsa::Signature::from_compact(signature);
        signature.is_ok_and(|signature| SECP256K1.verify_ecdsa(&digest, &signature, &self.key).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_read_as_it_was_signed_and_holds_for_its_account_only() {
        let secret = SecretKey::from_slice(&[7; 32]).expect("a key");
        let signer = Signer { key: secret.public_key(SECP256K1), account_number: 5, sequence: 9 };
        let fee = Fee { denom: "ubbn".into(), amount: 30, gas: 4_000 };
        let message = Any { type_url: "/a.Message".into(), value: vec![1, 2, 3] };
        let signed = Unsigned::new(vec![message.clone()], "", &signer, &fee, "bbn-1").sign(&secret);
        let read = Received::read(&signed.raw).expect("a transaction");
        assert_eq!((read.messages.clone(), read.key, read.sequence, read.fee.clone()), (vec![message], signer.key, 9, fee));
        assert!(read.is_signed("bbn-1", 5));
        assert!(!read.is_signed("bbn-2", 5) && !read.is_signed("bbn-1", 6));
        for end in 0..signed.raw.len() {
            // Cut anywhere it is none, or not signed.
            assert!(Received::read(&signed.raw[..end]).is_none_or(|read| !read.is_signed("bbn-1", 5)), "{end}");
        }
    }
}
