//! Headers that the federation signed although they break a rule.
//!
//! A header without the signatures of the members in force says something about the peer that sent it. One with them says something about
//! the network: k members signed what no honest one signs, and nobody can tell what else they sign.

use super::header::{HeaderFault, HeaderState};
use super::signature::{Signers, verify_signatures};
use causeway_vocab::SidechainParams;
use elements::{BlockExtData, BlockHeader};

impl HeaderState {
    /// Who of the members in force after this state signed `header`, which was refused for `fault`: then the broken rule is their doing.
    ///
    /// `None` when too few of them did, when another parent or the clock may explain the fault, and when anybody can sign (0 of 0). The
    /// signing script that counts is the one in force, whatever the header claims: members voted out cannot accuse those after them.
    pub fn misrule(&self, params: &SidechainParams, header: &BlockHeader, fault: &HeaderFault) -> Option<Signers> {
        if matches!(fault, HeaderFault::UnknownParent { .. } | HeaderFault::TimeTooNew { .. }) {
            return None;
        }
        let full = self.next_full_params(params);
        let active = self.tip().height.saturating_add(1) >= params.dynafed_active_from_height;
        let signers = match &header.ext {
            BlockExtData::Dynafed { .. } => verify_signatures(header, &full.signblockscript, full.signblock_witness_limit),
            BlockExtData::Proof { challenge, .. } => {
                let in_force =
                    if active { challenge.to_v0_p2wsh() == full.signblockscript } else { *challenge == params.signblockscript };
                if !in_force {
                    return None;
                }
                verify_signatures(header, challenge, full.signblock_witness_limit)
            }
        };
        signers.ok().filter(|signers| signers.multisig.k > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::fixtures::{self, LATE, bytes};
    use crate::consensus::header::decode;

    /// Refused headers of the fixtures that enough members in force signed.
    const SIGNED: [&str; 17] = [
        "bad-height-plus-1",
        "bad-height-minus-1",
        "time-too-old",
        "reserved-version-bit",
        "old-version",
        "full-inside-epoch",
        "wrong-witness-limit",
        "null-current",
        "legacy-header",
        "proposed-signblock-not-segwit",
        "proposed-fedpeg-mismatch",
        "proposed-fedpeg-p2sh",
        "proposed-fedpeg-op-depth",
        "proposed-compact",
        "compact-at-epoch-start",
        "wrong-extension-at-epoch-start",
        "wrong-fedpeg-at-epoch-start",
    ];

    #[test]
    fn a_broken_rule_is_the_federations_doing_exactly_when_its_members_in_force_signed() {
        let fixture = fixtures::chain();
        let mut signed = Vec::new();
        for case in fixtures::load("elements/bad_headers.json")["rejected"].as_array().expect("cases") {
            let name = case["name"].as_str().expect("a name").to_owned();
            let header = decode(&bytes(&case["header"])).expect("readable");
            let height = u32::try_from(case["height"].as_u64().expect("a height")).expect("small");
            let now = case["node_time"].as_u64().unwrap_or(LATE);
            let state = fixture.chain.state_at(height - 1).expect("a state");
            let fault = state.next(&fixture.params, &header, now).expect_err(&name);
            if let Some(signers) = state.misrule(&fixture.params, &header, &fault) {
                assert_eq!(signers.members.len(), usize::from(signers.multisig.k), "{name}");
                assert!(!matches!(fault, HeaderFault::Signature(_)), "{name} is not signed");
                signed.push(name);
            }
        }
        assert_eq!(signed, SIGNED);
    }

    #[test]
    fn the_wrong_elided_root_that_elementsd_accepts_is_misrule() {
        let fixture = fixtures::chain();
        let file = fixtures::load("elements/bad_headers.json");
        let case = file["accepted_oddities"].as_array().expect("cases").iter().find(|c| c["name"] == "elided-root-unchecked");
        let header = decode(&bytes(&case.expect("the case")["header"])).expect("readable");
        let state = fixture.chain.state_at(header.height - 1).expect("a state");
        let fault = state.next(&fixture.params, &header, LATE).expect_err("refused");
        assert_eq!(fault, HeaderFault::WrongElided);
        assert!(state.misrule(&fixture.params, &header, &fault).is_some());
        let mut forged = header.clone();
        forged.time += 1;
        assert!(state.misrule(&fixture.params, &forged, &fault).is_none(), "nobody signed this one");
    }
}
