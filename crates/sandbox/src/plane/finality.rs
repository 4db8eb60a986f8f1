//! Finality providers: their votes, and what happens to one that votes twice.

use super::chain::CHAIN_ID;
use super::state::{Evidence, State};
use bitcoin::Transaction;
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_staking::delegation::Verified;
use causeway_staking::eots::extract;
use causeway_staking::protection::Vote;

/// Has a provider vote for two blocks at the last height. Its key follows from the votes, and with it everything that slashes the stakes it
/// holds: those transactions, of the stake itself and of what unbonding left of it. `None` when there is no such provider, or it was slashed.
pub(super) fn equivocate(state: &mut State, index: usize) -> Option<Vec<Transaction>> {
    let (height, row) = (state.height(), state.blocks.last()?);
    let provider = state.providers.get(index).filter(|provider| provider.slashed.is_none())?;
    let (key, public) = (provider.key(), provider.public());
    let app_hash = <[u8; 32]>::from_hex(&row.app_hash).ok()?;
    let mut fork = app_hash;
    fork[0] ^= 1;
    let nonce = key.nonce(CHAIN_ID, height);
    let sign = |app_hash: [u8; 32]| {
        let message = Vote { height, app_hash }.message();
        (message, key.sign(&nonce, &message))
    };
    let (first, second) = (sign(app_hash), sign(fork));
    // From here on nothing of the provider's own is used: whoever has seen both votes can do this.
    let found = extract(&public, &nonce.public(), (&first.0, &first.1), (&second.0, &second.1)).ok()?;
    state.evidence.push(Evidence {
        provider: public,
        height,
        randomness: nonce.public(),
        canonical: (app_hash.to_lower_hex_string(), first.1),
        fork: (fork.to_lower_hex_string(), second.1),
    });
    state.providers[index].slashed = Some(height);
    let mut slashing = Vec::new();
    for delegation in state.delegations.values() {
        let (stake, registered) = delegation.registered(&state.versions[delegation.params_version as usize]);
        if stake.terms().providers != [public] || delegation.seen.is_none() {
            continue;
        }
        let Ok(verified) = Verified::check(stake, registered, delegation.covenant.clone()) else { continue };
        let unbonding = delegation.unbonding_seen;
        if unbonding || delegation.spent.is_none() {
            slashing.extend(verified.slash(&found, unbonding));
        }
    }
    Some(slashing)
}
