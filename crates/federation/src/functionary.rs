//! Who the functionaries are: their keys, thresholds and the scripts that follow.

use crate::tweak::{EmergencyPath, PegScript};
use bitcoin::secp256k1::{PublicKey, SECP256K1, SecretKey};
use elements::opcodes::all::OP_CHECKMULTISIG;
use serde::{Deserialize, Serialize};

/// Position of a member in [`Federation::members`], from 0.
pub type MemberId = u8;

/// Largest federation: what a multisig of Elements' signing scripts and a peg script can carry with single-byte counts.
pub const MAX_MEMBERS: usize = 15;

/// Public keys of one functionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Authenticates what it says to the others. Kept apart from the keys that move money.
    pub message: PublicKey,
    /// Signs sidechain blocks.
    pub block: PublicKey,
    /// Signs for the federation's Bitcoin coins, tweaked by claim scripts.
    pub fedpeg: PublicKey,
}

/// Secret keys of one functionary.
pub struct FunctionaryKeys {
    /// Authenticates what it says to the others.
    pub message: SecretKey,
    /// Signs sidechain blocks.
    pub block: SecretKey,
    /// Signs for the federation's Bitcoin coins.
    pub fedpeg: SecretKey,
}

impl FunctionaryKeys {
    /// The public halves.
    pub fn member(&self) -> Member {
        Member {
            message: self.message.public_key(SECP256K1),
            block: self.block.public_key(SECP256K1),
            fedpeg: self.fedpeg.public_key(SECP256K1),
        }
    }
}

impl Drop for FunctionaryKeys {
    fn drop(&mut self) {
        self.message.non_secure_erase();
        self.block.non_secure_erase();
        self.fedpeg.non_secure_erase();
    }
}

/// A set of functionaries and how many of them it takes. All members configure it alike.
///
/// With Y = `sign_threshold` of n: no two blocks of one height are ever signed by Y while at most 2Y - n - 1 members are Byzantine, and
/// blocks are made while at most n - max(X, Y) are silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Federation {
    members: Vec<Member>,
    precommit_threshold: u8,
    sign_threshold: u8,
    fedpeg_threshold: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    emergency: Option<Emergency>,
}

#[derive(Deserialize)]
struct Unchecked {
    members: Vec<Member>,
    precommit_threshold: u8,
    sign_threshold: u8,
    fedpeg_threshold: u8,
    #[serde(default)]
    emergency: Option<Emergency>,
}

/// Who may withdraw the federation's bitcoin when it has lain still for long, because the functionaries are gone: a quorum of its own, whose
/// keys are kept apart from theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// How many must sign.
    pub threshold: u8,
    /// The keys, in script order.
    pub keys: Vec<PublicKey>,
    /// Bitcoin blocks that must have passed over a coin.
    pub delay: u16,
}

impl TryFrom<Unchecked> for Federation {
    type Error = FederationFault;
    fn try_from(raw: Unchecked) -> Result<Self, FederationFault> {
        let set = Federation::new(raw.members, raw.precommit_threshold, raw.sign_threshold, raw.fedpeg_threshold)?;
        match raw.emergency {
            Some(emergency) => set.with_emergency(emergency),
            None => Ok(set),
        }
    }
}

/// A set that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FederationFault {
    /// Nobody, or more than [`MAX_MEMBERS`].
    #[error("a federation has 1 to {MAX_MEMBERS} members")]
    Size,
    /// One key stands in the set twice.
    #[error("member {0} repeats a key of the set")]
    RepeatedKey(MemberId),
    /// Half of the members or fewer could sign: two blocks of one height could both be complete with nobody at fault.
    #[error("the signing threshold must be a majority")]
    NoMajority,
    /// Fewer precommits than signatures: members could be made to sign what can never be complete.
    #[error("the precommit threshold must lie between the signing threshold and the number of members")]
    Precommits,
    /// More peg signatures than members, or none.
    #[error("the peg threshold must lie between 1 and the number of members")]
    Fedpeg,
    /// An emergency quorum of nobody, of more than there are, with a repeated key or a functionary's, or with no delay.
    #[error("the emergency quorum needs a threshold within its own keys, and a delay")]
    Emergency,
}

impl Federation {
    /// Checks and builds a set. `precommit_threshold` is X, `sign_threshold` is Y of the signing script, `fedpeg_threshold` that of the
    /// peg script.
    pub fn new(
        members: Vec<Member>,
        precommit_threshold: u8,
        sign_threshold: u8,
        fedpeg_threshold: u8,
    ) -> Result<Federation, FederationFault> {
        let n = members.len();
        if n == 0 || n > MAX_MEMBERS {
            return Err(FederationFault::Size);
        }
        let mut seen = std::collections::BTreeSet::new();
        for (index, member) in members.iter().enumerate() {
            for key in [member.message, member.block, member.fedpeg] {
                if !seen.insert(key.serialize()) {
                    return Err(FederationFault::RepeatedKey(index as MemberId));
                }
            }
        }
        if usize::from(sign_threshold) * 2 <= n || usize::from(sign_threshold) > n {
            return Err(FederationFault::NoMajority);
        }
        if precommit_threshold < sign_threshold || usize::from(precommit_threshold) > n {
            return Err(FederationFault::Precommits);
        }
        if fedpeg_threshold == 0 || usize::from(fedpeg_threshold) > n {
            return Err(FederationFault::Fedpeg);
        }
        Ok(Federation { members, precommit_threshold, sign_threshold, fedpeg_threshold, emergency: None })
    }

    /// The same set with an emergency path in its peg script.
    pub fn with_emergency(self, emergency: Emergency) -> Result<Federation, FederationFault> {
        let Emergency { threshold, keys, delay } = &emergency;
        let own: std::collections::BTreeSet<_> = self.members.iter().map(|member| member.fedpeg).collect();
        let quorum: std::collections::BTreeSet<_> = keys.iter().copied().collect();
        let apart = quorum.len() == keys.len() && quorum.is_disjoint(&own);
        let workable = (1..=MAX_MEMBERS).contains(&keys.len()) && (1..=keys.len()).contains(&usize::from(*threshold));
        if !apart || !workable || *delay == 0 {
            return Err(FederationFault::Emergency);
        }
        Ok(Federation { emergency: Some(emergency), ..self })
    }

    /// Who may withdraw in an emergency.
    pub fn emergency(&self) -> Option<&Emergency> {
        self.emergency.as_ref()
    }

    /// The members, in the order of the scripts.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many members there are.
    pub fn n(&self) -> u8 {
        self.members.len() as u8
    }

    /// X: how many must precommit before anybody signs.
    pub fn precommit_threshold(&self) -> u8 {
        self.precommit_threshold
    }

    /// Y: how many signatures make a block.
    pub fn sign_threshold(&self) -> u8 {
        self.sign_threshold
    }

    /// How many signatures move the federation's bitcoin.
    pub fn fedpeg_threshold(&self) -> u8 {
        self.fedpeg_threshold
    }

    /// A member by position.
    pub fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(usize::from(id))
    }

    /// Which member holds this message key.
    pub fn position(&self, message: &PublicKey) -> Option<MemberId> {
        self.members.iter().position(|member| member.message == *message).map(|index| index as MemberId)
    }

    /// Whose turn it is to propose.
    pub fn proposer(&self, height: u32, round: u32) -> MemberId {
        ((u64::from(height) + u64::from(round)) % self.members.len() as u64) as MemberId
    }

    /// How many Byzantine members the rounds make progress with: below both the safety bound 2X - n - 1 and the liveness bound n - X.
    pub(crate) fn tolerated(&self) -> u8 {
        let (x, n) = (self.precommit_threshold, self.n());
        (2 * x - n - 1).min(n - x)
    }

    /// The witness script of block signatures: bare Y-of-n, keys in member order. As `-signblockscript` for the genesis block.
    pub fn block_script(&self) -> elements::Script {
        let mut builder = elements::script::Builder::new().push_int(self.sign_threshold.into());
        for member in &self.members {
            builder = builder.push_slice(&member.block.serialize());
        }
        builder.push_int(self.n().into()).push_opcode(OP_CHECKMULTISIG).into_script()
    }

    /// The P2WSH form of [`Federation::block_script`], as dynafed parameters carry it.
    pub fn signblockscript(&self) -> elements::Script {
        self.block_script().to_v0_p2wsh()
    }

    /// Serialized size of a complete block witness at most, bytes: count, dummy, signatures of 73 bytes, script. The least workable
    /// `signblock_witness_limit`.
    pub fn block_witness_limit(&self) -> u32 {
        witness_limit(self.sign_threshold, self.block_script().len())
    }

    /// The peg script: k-of-n with the keys in member order, then the emergency path if there is one. As `-fedpegscript`.
    pub fn fedpegscript(&self) -> bitcoin::ScriptBuf {
        self.peg_script().to_script()
    }

    pub(crate) fn peg_script(&self) -> PegScript {
        let path = |it: &Emergency| EmergencyPath { delay: it.delay, k: it.threshold, keys: it.keys.clone() };
        let keys = self.members.iter().map(|member| member.fedpeg).collect();
        PegScript { k: self.fedpeg_threshold, keys, emergency: self.emergency.as_ref().map(path) }
    }
}

/// Serialized size of the witness of k signatures and a script of `script` bytes, at most.
pub(crate) fn witness_limit(k: u8, script: usize) -> u32 {
    let prefix = if script < 0xfd { 1 } else { 3 };
    2 + 74 * u32::from(k) + prefix + script as u32
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Keys for tests, different for each number.
    pub(crate) fn keys(number: u8) -> FunctionaryKeys {
        let key = |purpose: u8| {
            let mut bytes = [purpose; 32];
            bytes[31] = number + 1;
            SecretKey::from_slice(&bytes).expect("a key")
        };
        FunctionaryKeys { message: key(1), block: key(2), fedpeg: key(3) }
    }

    /// k of n, with the keys from `first` on.
    pub(crate) fn federation(first: u8, n: u8, k: u8) -> Federation {
        let members = (first..first + n).map(|number| keys(number).member()).collect();
        Federation::new(members, k, k, k).expect("a workable set")
    }

    /// Keys of an emergency quorum for tests.
    pub(crate) fn emergency_keys(n: u8) -> Vec<SecretKey> {
        (1..=n).map(|number| SecretKey::from_slice(&[0xe0 | number; 32]).expect("a key")).collect()
    }

    /// k of n may withdraw after `delay` blocks.
    pub(crate) fn emergency(n: u8, threshold: u8, delay: u16) -> Emergency {
        Emergency { threshold, keys: emergency_keys(n).iter().map(|key| key.public_key(SECP256K1)).collect(), delay }
    }

    #[test]
    fn an_emergency_quorum_that_cannot_work_is_refused_also_when_read_from_a_file() {
        let good = emergency(3, 2, 4032);
        let set = federation(0, 5, 3).with_emergency(good.clone()).expect("workable");
        let repeated = Emergency { keys: vec![good.keys[0]; 3], ..good.clone() };
        let functionary = Emergency { keys: vec![keys(1).member().fedpeg, good.keys[0]], ..good };
        for bad in [emergency(0, 0, 9), emergency(3, 4, 9), emergency(3, 0, 9), emergency(3, 2, 0), repeated, functionary] {
            assert_eq!(federation(0, 5, 3).with_emergency(bad), Err(FederationFault::Emergency));
        }
        let mut json = serde_json::to_value(&set).expect("JSON");
        assert_eq!(serde_json::from_value::<Federation>(json.clone()).ok(), Some(set));
        json["emergency"]["threshold"] = 4.into();
        assert!(serde_json::from_value::<Federation>(json).is_err());
    }

    #[test]
    fn a_set_that_cannot_work_is_refused_also_when_read_from_a_file() {
        let members = |n: u8| (0..n).map(|number| keys(number).member()).collect::<Vec<_>>();
        let cases = [
            (members(0), 1, 1, 1, FederationFault::Size),
            (members(16), 9, 9, 9, FederationFault::Size),
            ([members(2), members(1)].concat(), 2, 2, 2, FederationFault::RepeatedKey(2)),
            (members(4), 2, 2, 2, FederationFault::NoMajority),
            (members(4), 5, 5, 2, FederationFault::NoMajority),
            (members(5), 2, 3, 3, FederationFault::Precommits),
            (members(5), 6, 3, 3, FederationFault::Precommits),
            (members(5), 3, 3, 6, FederationFault::Fedpeg),
        ];
        for (members, x, y, pegs, fault) in cases {
            assert_eq!(Federation::new(members, x, y, pegs), Err(fault));
        }
        let mut json = serde_json::to_value(federation(0, 5, 3)).expect("JSON");
        assert_eq!(serde_json::from_value::<Federation>(json.clone()).ok(), Some(federation(0, 5, 3)));
        json["sign_threshold"] = 2.into();
        assert!(serde_json::from_value::<Federation>(json).is_err());
    }

    #[test]
    fn scripts_and_limits_are_those_of_a_real_chain() {
        let text = include_str!("../../../tests/fixtures/elements/chain.json");
        let chain: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let network = &chain["network"];
        let hex_keys = |value: &serde_json::Value| -> Vec<PublicKey> {
            value["pubkeys"]
                .as_array()
                .expect("keys")
                .iter()
                .map(|key| key.as_str().expect("hex").parse().expect("a key"))
                .collect()
        };
        for name in ["signers-a", "signers-b"] {
            let set = &network["signers"][name];
            let k = set["k"].as_u64().expect("a number") as u8;
            let member = |(index, block): (usize, PublicKey)| Member { block, ..keys(index as u8).member() };
            let members: Vec<_> = hex_keys(set).into_iter().enumerate().map(member).collect();
            let federation = Federation::new(members, k, k, k).expect("a workable set");
            assert_eq!(format!("{:x}", federation.block_script()), set["witness_script"].as_str().expect("hex"));
            assert_eq!(format!("{:x}", federation.signblockscript()), set["p2wsh_script_pubkey"].as_str().expect("hex"));
            assert_eq!(u64::from(federation.block_witness_limit()), set["max_block_witness"].as_u64().expect("a number"));
        }
    }
}
