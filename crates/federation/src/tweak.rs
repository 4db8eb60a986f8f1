//! Keys and scripts of deposits: the peg script tweaked with a claim script.

use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash as _, HashEngine as _, Hmac, HmacEngine, sha256};
use bitcoin::opcodes::all::OP_CHECKMULTISIG;
use bitcoin::secp256k1::{PublicKey, SECP256K1, Scalar, SecretKey};

/// A bare k-of-n peg script, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PegScript {
    /// How many must sign.
    pub k: u8,
    /// The keys, in script order.
    pub keys: Vec<PublicKey>,
}

impl PegScript {
    /// Reads `k <key>… n CHECKMULTISIG` with 1 <= k <= n <= 15; `None` for everything else.
    pub fn parse(script: &bitcoin::Script) -> Option<PegScript> {
        let [k @ 0x51..=0x5f, keys @ .., n @ 0x51..=0x5f, last] = script.as_bytes() else { return None };
        let (k, n) = (k - 0x50, usize::from(n - 0x50));
        if *last != OP_CHECKMULTISIG.to_u8() || keys.len() != n * 34 || usize::from(k) > n {
            return None;
        }
        let key = |push: &[u8]| match push {
            [33, key @ ..] => PublicKey::from_slice(key).ok(),
            _ => None,
        };
        let keys = keys.chunks_exact(34).map(key).collect::<Option<Vec<_>>>()?;
        Some(PegScript { k, keys })
    }

    /// The same script for deposits that `claim_script` can claim. `None` in the one case of 2^128 where a tweaked key is no key.
    ///
    /// Key P becomes P + HMAC-SHA256(key P, claim script)·G. Source: calculate_contract in pegins.cpp of Elements.
    pub fn tweaked(&self, claim_script: &[u8]) -> Option<PegScript> {
        let tweak = |key: &PublicKey| key.add_exp_tweak(SECP256K1, &tweak_of(key, claim_script)?).ok();
        Some(PegScript { k: self.k, keys: self.keys.iter().map(tweak).collect::<Option<_>>()? })
    }

    /// The script that [`PegScript::parse`] reads.
    pub fn to_script(&self) -> ScriptBuf {
        let mut builder = bitcoin::script::Builder::new().push_int(self.k.into());
        for key in &self.keys {
            builder = builder.push_key(&bitcoin::PublicKey::new(*key));
        }
        builder.push_int(self.keys.len() as i64).push_opcode(OP_CHECKMULTISIG).into_script()
    }
}

fn tweak_of(key: &PublicKey, claim_script: &[u8]) -> Option<Scalar> {
    let mut engine = HmacEngine::<sha256::Hash>::new(&key.serialize());
    engine.input(claim_script);
    Scalar::from_be_bytes(Hmac::from_engine(engine).to_byte_array()).ok()
}

/// The secret key that signs for a deposit claimed by `claim_script`.
pub(crate) fn tweak_secret(key: &SecretKey, claim_script: &[u8]) -> Option<SecretKey> {
    key.add_tweak(&tweak_of(&key.public_key(SECP256K1), claim_script)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::{DisplayHex as _, FromHex as _};

    #[test]
    fn scripts_and_keys_are_tweaked_as_elementsd_does() {
        let text = include_str!("../../../tests/fixtures/elements/pegin.json");
        let fixture: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let cases = fixture["valid"].as_array().expect("cases");
        assert!(!cases.is_empty());
        for case in cases {
            let hex = |value: &serde_json::Value| Vec::<u8>::from_hex(value.as_str().expect("hex")).expect("hex");
            let federation = &case["federation"];
            let claim = hex(&case["claim_script"]);
            let script = bitcoin::ScriptBuf::from_bytes(hex(&federation["fedpegscript"]));
            let tweaked = PegScript::parse(&script).expect("bare multisig").tweaked(&claim).expect("keys");
            assert_eq!(
                tweaked.to_script().as_bytes().to_lower_hex_string(),
                federation["tweaked_fedpegscript"].as_str().expect("hex")
            );
        }
    }

    #[test]
    fn the_tweaked_secret_key_is_that_of_the_tweaked_public_key() {
        let keys = crate::functionary::tests::keys(4);
        let script = crate::functionary::tests::federation(0, 5, 3).fedpegscript();
        let tweaked = PegScript::parse(&script).expect("bare multisig").tweaked(b"claim").expect("keys");
        let secret = tweak_secret(&keys.fedpeg, b"claim").expect("a key");
        assert_eq!(secret.public_key(SECP256K1), tweaked.keys[4]);
    }

    #[test]
    fn what_is_no_bare_multisig_is_none() {
        let script = crate::functionary::tests::federation(0, 5, 3).fedpegscript();
        for cut in 0..script.len() {
            assert_eq!(PegScript::parse(bitcoin::Script::from_bytes(&script.as_bytes()[..cut])), None);
        }
        let mut more = script.to_bytes();
        more[0] = 0x56;
        assert_eq!(PegScript::parse(bitcoin::Script::from_bytes(&more)), None, "6 of 5");
    }
}
