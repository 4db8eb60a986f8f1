//! The covenant committee: signs unbonding plainly, and slashing so that only the finality provider's key completes it.

use super::state::State;
use bitcoin::Txid;
use bitcoin::secp256k1::{Keypair, SECP256K1};
use causeway_staking::AdaptorSignature;
use causeway_staking::adaptor::encryption_key;
use rand::RngCore as _;
use serde::{Deserialize, Serialize};

/// How the committee behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committee {
    /// How many members sign what is registered.
    pub signing: usize,
    /// They sign the unbonding transaction with signatures that do not verify.
    #[serde(default)]
    pub lying: bool,
}

impl Default for Committee {
    fn default() -> Committee {
        Committee { signing: usize::MAX, lying: false }
    }
}

/// Has the members sign what waits for them. `true` when they signed anything.
pub(super) fn sign(state: &mut State, how: Committee) -> bool {
    let waiting = |(txid, delegation): (&Txid, &super::state::Delegation)| {
        (delegation.covenant.unbonding.len() < how.signing.min(state.committee.len())).then_some(*txid)
    };
    let txids: Vec<Txid> = state.delegations.iter().filter_map(waiting).collect();
    let mut rng = rand::rngs::OsRng;
    let mut aux = || {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        bytes
    };
    for txid in &txids {
        let delegation = &state.delegations[txid];
        let (stake, registered) = delegation.registered(&state.versions[delegation.params_version as usize]);
        let Some(outpoint) = stake.find_in(&registered.staking) else { continue };
        let provider = encryption_key(&stake.terms().providers[0]);
        let unbonding = stake.unbonding_spend(outpoint);
        let slashing = stake.slashing_spend(outpoint).message();
        let later = stake.unbonding_slashing_spend(registered.unbonding.compute_txid()).message();
        let signed = if how.lying { slashing } else { unbonding.message() };
        let mut covenant = delegation.covenant.clone();
        for key in state.committee.iter().take(how.signing) {
            let pair = Keypair::from_secret_key(SECP256K1, key);
            let member = pair.x_only_public_key().0;
            covenant.unbonding.insert(member, SECP256K1.sign_schnorr_with_aux_rand(&signed, &pair, &aux()));
            let adaptor = |digest: &bitcoin::secp256k1::Message, aux: [u8; 32]| {
                vec![AdaptorSignature::sign(&pair, &provider, digest.as_ref(), &aux)]
            };
            covenant.slashing.insert(member, adaptor(&slashing, aux()));
            covenant.unbonding_slashing.insert(member, adaptor(&later, aux()));
        }
        state.delegations.get_mut(txid).expect("BUG: found above").covenant = covenant;
    }
    !txids.is_empty()
}
