//! Settings, and what this program is.

use crate::memory::stale;
use crate::profile::Profile;
use causeway_contract::{About, Empty, Failure, Settings, Tag};
use causeway_vocab::{Code, Refusal};
use std::net::SocketAddr;

/// Peers that a user may add to those of the realm.
const MOST_PEERS: usize = 16;

impl Profile {
    pub(crate) async fn settings_get(&self, _: Empty) -> Result<Settings, Failure> {
        Ok(self.core().settings.clone())
    }

    /// Peers take effect at the next start.
    pub(crate) async fn settings_set(&self, settings: Settings) -> Result<Settings, Failure> {
        let bad = |field: &str| Err(Refusal::new(Code::BadRequest).with("field", field));
        if !["", "en", "zh-Hans", "zh-Hant"].contains(&settings.language.as_str()) {
            return bad("language");
        }
        if !(1..=100).contains(&settings.fee_limit_percent) {
            return bad("fee_limit_percent");
        }
        if !(1..=1_000).contains(&settings.gap_limit) {
            return bad("gap_limit");
        }
        if settings.proof_depth > 100 {
            return bad("proof_depth");
        }
        for (field, peers) in [("bitcoin_peers", &settings.bitcoin_peers), ("sidechain_peers", &settings.sidechain_peers)] {
            if peers.len() > MOST_PEERS || peers.iter().any(|peer| peer.parse::<SocketAddr>().is_err()) {
                return bad(field);
            }
        }
        let wider = self.change(|core, write| {
            core.dirty = true;
            write.set_meta("settings", &serde_json::to_string(&settings).expect("BUG: settings are JSON"))?;
            let wider = settings.gap_limit > core.settings.gap_limit;
            if settings.gap_limit != core.settings.gap_limit {
                for (id, wallet) in &mut core.wallets {
                    let applied = wallet.sidechain.set_gap_limit(settings.gap_limit);
                    crate::memory::put_sidechain(write, *id, &applied.changes)?;
                    wallet.sidechain.absorb(&applied.changes);
                }
            }
            core.settings = settings.clone();
            stale(write, &[Tag::Settings]);
            Ok(wider)
        })?;
        if wider {
            // Addresses that were out of reach may have been paid at any time.
            self.rescan(None, Some(1))?;
        }
        Ok(settings)
    }

    pub(crate) async fn about(&self, _: Empty) -> Result<About, Failure> {
        Ok(About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            profile_dir: self.dir.display().to_string(),
            sqlite: causeway_store::sqlite_version().to_owned(),
            realm_toml: self.realm.to_toml(),
        })
    }
}
