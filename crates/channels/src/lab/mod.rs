//! The lab: the forms from which today's channels grew, to step through, cheat in, and watch the chain judge.
//!
//! Each form is a value: a [choice](decreasing::Choice) makes the next value and the transactions to publish; blocks are told with
//! `at_height` and `confirmed`. What a scene means is said by an [`Explain`], whose words live in the faces.
//!
//! The coins are worthless: all keys come from a seed that is part of the value, which the rest of this crate would never do.

pub mod decreasing;
pub mod htlc;
pub mod revocable;

#[cfg(test)]
mod tests;

use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::key::Keypair;
use bitcoin::{Amount, ScriptBuf, TxOut, XOnlyPublicKey};
use causeway_vocab::{Atoms, Code, Refusal};
use secp256k1_zkp::SECP256K1;
use serde::{Deserialize, Serialize};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// Funds the channel.
    Alice,
    /// The other end.
    Bob,
    /// Between them, where there is somebody between.
    Carol,
}

impl Actor {
    fn name(self) -> &'static str {
        match self {
            Actor::Alice => "alice",
            Actor::Bob => "bob",
            Actor::Carol => "carol",
        }
    }

    /// The other end of a channel of two.
    fn peer(self) -> Actor {
        if self == Actor::Alice { Actor::Bob } else { Actor::Alice }
    }
}

macro_rules! explanations {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What a scene of the lab means. On the wire kebab-case; the words live in the faces.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Explain { $($(#[$doc])* $name),* }

        impl Explain {
            /// Every explanation, for tests that look for missing words.
            pub const ALL: &'static [Explain] = &[$(Explain::$name),*];
        }
    };
}

explanations! {
    // -- decreasing time locks
    /// The coin is not made yet.
    Unfunded,
    /// Payments flow; each new state can be published earlier than the one before.
    DecreasingOpen,
    /// No earlier lock is left: the channel must end.
    DecreasingUsedUp,
    /// The newest state may be published now; older ones may not yet.
    DecreasingNewestOpens,
    /// An older state may be published now as well: whoever slept is in danger.
    DecreasingOldOpens,
    /// The newest state was published: everybody has what is theirs.
    DecreasingSettled,
    /// An older state was published because nobody published the newest in time.
    DecreasingCheated,
    // -- revocable commitments
    /// Payments flow; each gives up the state before by handing over its revocation key.
    RevocableOpen,
    /// The newest state was published: its owner waits, the other has been paid at once.
    RevocableClosing,
    /// A state that was given up was published: the other may take everything until the delay is over.
    RevocableCheating,
    /// The delay is over and nobody punished: the cheat may take what is not his.
    RevocableTooLate,
    /// The owner has taken the delayed part.
    RevocableSettled,
    /// The cheat lost everything.
    RevocablePunished,
    /// The cheat got away with it.
    RevocableGotAway,
    // -- hash time locks
    /// Both locks stand; the preimage is Bob's secret.
    HtlcLocked,
    /// A claim with another preimage was tried: no block takes it.
    HtlcForged,
    /// Bob has shown the preimage by taking Carol's coin: now Carol can take Alice's.
    HtlcShown,
    /// Carol's lock has expired: she may take her coin back, and Bob may still come first.
    HtlcOutExpired,
    /// Carol slept after the preimage was shown and Alice's lock has expired: Alice may take hers back.
    HtlcInExpired,
    /// Bob is paid by Carol and Carol by Alice.
    HtlcPaid,
    /// Nobody is paid; everybody has their own coin.
    HtlcReturned,
    /// Carol paid Bob and was not paid: she slept too long.
    HtlcCarolLost,
}

/// A key of an actor in a lab: `SHA256("causeway/lab" || seed || actor || what || number)`.
fn key(seed: &[u8; 32], actor: Actor, what: &str, number: u32) -> Keypair {
    let mut engine = sha256::Hash::engine();
    for part in [b"causeway/lab", &seed[..], actor.name().as_bytes(), what.as_bytes(), &number.to_le_bytes()] {
        engine.input(part);
    }
    let secret = sha256::Hash::from_engine(engine).to_byte_array();
    Keypair::from_seckey_slice(SECP256K1, &secret).expect("BUG: a hash that is no key cannot be found")
}

fn public(key: &Keypair) -> XOnlyPublicKey {
    key.x_only_public_key().0
}

/// Where an actor's money goes: a taproot output of an own key (BIP86).
pub fn home(seed: &[u8; 32], actor: Actor) -> ScriptBuf {
    ScriptBuf::new_p2tr(SECP256K1, public(&key(seed, actor, "home", 0)), None)
}

/// An output, unless it is dust.
fn output(value: Atoms, script: ScriptBuf) -> Option<TxOut> {
    let value = Amount::from_sat(value.0);
    (value >= script.minimal_non_dust()).then_some(TxOut { value, script_pubkey: script })
}

/// Moves an amount between two balances.
fn paid(alice: Atoms, bob: Atoms, from: Actor, amount: Atoms) -> Result<Atoms, Refusal> {
    let (has, gets) = if from == Actor::Alice { (alice, bob) } else { (bob, alice) };
    let short = || Refusal::new(Code::InsufficientFunds).with("asset", "btc").with("available", has).with("needed", amount);
    if amount == Atoms::ZERO {
        return Err(Refusal::new(Code::BadAmount).with("precision", 8));
    }
    let left = has.checked_sub(amount).ok_or_else(short)?;
    let got = gets.checked_add(amount).ok_or_else(short)?;
    Ok(if from == Actor::Alice { left } else { got })
}

fn no_choice() -> Refusal {
    Refusal::new(Code::NotFound).with("what", "choice")
}
