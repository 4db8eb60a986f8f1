//! Witnesses: servers that are asked now and then whether they stand on the same branch as our peers. A federation can sign two. While there are
//! no peers, the chain is followed through the servers.

use crate::profile::Profile;
use causeway_contract::Tag;
use causeway_peers::source::{self, HeaderSource, SourceFault, Trust};
use causeway_sidechain::consensus::signature::verify_signatures;
use causeway_vocab::{Code, Height, Refusal};
use elements::BlockHeader;
use std::sync::Arc;
use std::time::Duration;

/// How often the witnesses are asked.
const PERIOD: Duration = Duration::from_secs(60);
/// The same while there are no peers.
const ALONE: Duration = Duration::from_secs(10);
/// They are asked about a block this far below the tip, which each of them should have.
const BELOW: Height = 2;

/// Asks for ever; returns at once when the realm names no servers.
pub(crate) async fn watch(profile: Arc<Profile>) {
    let trust = Trust::public();
    let named = &profile.realm.sidechain.sources;
    let sources: Vec<Box<dyn HeaderSource>> = named.iter().filter_map(|address| source::open(address, &trust).ok()).collect();
    if sources.is_empty() {
        return;
    }
    loop {
        let alone = profile.clients.sidechain.state().peers == 0;
        tokio::time::sleep(if alone { ALONE } else { PERIOD }).await;
        if profile.clients.sidechain.state().peers == 0 {
            profile.follow_servers(&sources).await;
        }
        profile.ask_witnesses(&sources).await;
    }
}

impl Profile {
    /// Follows the longest branch that any of the servers leads to.
    async fn follow_servers(&self, sources: &[Box<dyn HeaderSource>]) {
        for source in sources {
            match source::extend(&self.clients.sidechain, source.as_ref()).await {
                Ok(offered) if offered > 0 => tracing::info!(offered, "headers came from a server"),
                Ok(_) => {}
                Err(fault) => {
                    self.core().sidechain.fault = Some(fault.refusal);
                    self.tell([Tag::Networks]);
                }
            }
        }
    }

    /// Pegs rest while a server holds a signed block that is not of the chain followed here.
    async fn ask_witnesses(&self, sources: &[Box<dyn HeaderSource>]) {
        let Some(height) = self.clients.sidechain.tip().height.checked_sub(BELOW).filter(|height| *height > 0) else { return };
        let mut disputed = None;
        let mut trouble = None;
        for source in sources {
            let bad = |why: &str| Refusal::new(Code::BadPeer).with("peer", source.name()).with("why", why);
            match source.headers(height, 1).await {
                Ok(mut headers) => {
                    let header = headers.remove(0);
                    // The chain may have moved while it was asked.
                    let ours = self.clients.sidechain.at(height).map(|tip| tip.hash);
                    if ours == Some(header.block_hash()) {
                        continue;
                    }
                    if self.is_signed(&header) {
                        let refusal = Refusal::new(Code::BadHeader).with("height", height).with("rule", "two-branches");
                        disputed = Some(refusal.with("peer", source.name()));
                    } else {
                        trouble = Some(bad("bad-header"));
                    }
                }
                Err(SourceFault::NotFound) => {}
                Err(fault) => trouble = Some(bad(fault.word())),
            }
        }
        let mut core = self.core();
        let before = std::mem::replace(&mut core.sidechain.disputed, disputed);
        let changed = before != core.sidechain.disputed;
        if let Some(trouble) = core.sidechain.disputed.clone().or(trouble) {
            core.sidechain.fault = Some(trouble);
        }
        drop(core);
        if changed {
            tracing::warn!(height, "the branches of peers and servers have parted or met");
            self.tell([Tag::Networks]);
        }
    }

    /// Whether the members that signed our block at the height of the header have signed the header too.
    fn is_signed(&self, header: &BlockHeader) -> bool {
        let params = &self.realm.sidechain;
        self.clients.sidechain.with_chain(|chain| {
            let Some(state) = header.height.checked_sub(1).and_then(|parent| chain.state_at(parent)) else { return false };
            let full = state.next_full_params(params);
            let signers = verify_signatures(header, &full.signblockscript, full.signblock_witness_limit);
            signers.is_ok_and(|signers| signers.multisig.k > 0)
        })
    }

    /// Why pegs rest: data that ships, or two branches.
    pub(crate) fn pegs_rest(&self, inwards: bool) -> Result<(), Refusal> {
        let why = if inwards { &self.pinned.peg_in_paused } else { &self.pinned.peg_out_paused };
        let rest = |why: &str| Err(Refusal::new(Code::PegPaused).with("why", why));
        match (why, &self.core().sidechain.disputed) {
            (Some(why), _) => rest(why),
            (None, Some(_)) => rest("evidence"),
            (None, None) => Ok(()),
        }
    }
}
