//! The audit of the peg, for those who want it: both chains are read for what the federation owes and holds.
//!
//! It needs every sidechain block, and the filters of every Bitcoin block since the first deposit, so it runs only when it was asked for. It has a
//! Bitcoin client of its own: the wallets' is not disturbed. Whatever was read is on disk with the block up to which it was read, in one
//! transaction; a kill costs nothing but what was under way.

mod follow;
mod marks;
mod view;

pub(crate) use follow::follow;

use crate::memory::{Effort, stale};
use crate::profile::Profile;
use causeway_contract::{Empty, Failure, PegAudit, PegAuditSet, PegAuditWish, Tag};
use causeway_peers::NetworkState;
use causeway_sidechain::audit::{BitcoinFacts, Ledger, SidechainFacts, Summary};
use causeway_store::{Reader, Store};
use causeway_vocab::{Code, NetworkId, Refusal};
use marks::Marks;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The fact that keeps on disk what the audit shall do.
const WISH: &str = "peg-audit";

/// The audit of a profile.
pub(crate) struct Audit {
    held: Mutex<Held>,
    wake: Notify,
}

/// What both chains said when both had been read to their tips.
struct Settled {
    sidechain: u32,
    bitcoin: u32,
    summary: Summary,
}

/// What is known while the audit is wanted; of the rest only the wish.
struct Held {
    wish: PegAuditWish,
    /// Read from disk: the fields below are what is there.
    loaded: bool,
    ledger: Ledger,
    sidechain: Marks<elements::BlockHash>,
    bitcoin: Marks<bitcoin::BlockHash>,
    bitcoin_state: Option<NetworkState>,
    settled: Option<Settled>,
    trouble: Option<Refusal>,
    effort: Effort,
}

fn damaged(error: serde_json::Error) -> Refusal {
    Refusal::new(Code::DiskFailed).with("why", error)
}

impl Held {
    fn new(wish: PegAuditWish) -> Held {
        Held {
            wish,
            loaded: false,
            ledger: Ledger::default(),
            sidechain: Marks::default(),
            bitcoin: Marks::default(),
            bitcoin_state: None,
            settled: None,
            trouble: None,
            effort: Effort::default(),
        }
    }

    /// Reads from disk what was found out.
    fn load(reader: &Reader<'_>, wish: PegAuditWish) -> Result<Held, Refusal> {
        let mut held = Held::new(wish);
        for (height, text) in reader.audit_facts(NetworkId::Sidechain)? {
            held.ledger.put_sidechain(height, serde_json::from_str::<SidechainFacts>(&text).map_err(damaged)?);
        }
        for (height, text) in reader.audit_facts(NetworkId::Bitcoin)? {
            held.ledger.put_bitcoin(height, serde_json::from_str::<BitcoinFacts>(&text).map_err(damaged)?);
        }
        held.sidechain = marks::read(reader, NetworkId::Sidechain)?;
        held.bitcoin = marks::read(reader, NetworkId::Bitcoin)?;
        held.loaded = true;
        Ok(held)
    }
}

impl Audit {
    /// The audit as the last run left it.
    pub(crate) fn resume(store: &Store) -> Result<Audit, Refusal> {
        let text = store.read(|reader| reader.meta(WISH))?;
        let wish = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(PegAuditWish::Off);
        let held = store.read(|reader| if wish == PegAuditWish::Off { Ok(Held::new(wish)) } else { Held::load(reader, wish) })?;
        Ok(Audit { held: Mutex::new(held), wake: Notify::new() })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Profile {
    pub(crate) async fn peg_audit(&self, _: Empty) -> Result<PegAudit, Failure> {
        Ok(self.audit_view(&self.audit.held()))
    }

    pub(crate) async fn peg_audit_set(&self, request: PegAuditSet) -> Result<PegAudit, Failure> {
        if request.wish == PegAuditWish::On && self.clients.sidechain.base().height > 0 {
            // What was pegged before the chain begins here cannot be counted.
            if !request.whole_chain {
                return Err(Refusal::new(Code::NotOffered).with("what", "peg-audit"));
            }
            self.reach_back(0)?;
        }
        let text = serde_json::to_string(&request.wish).expect("BUG: a wish is JSON");
        let view = tokio::task::block_in_place(|| {
            let mut held = self.audit.held();
            self.store.commit(|write| {
                if request.wish == PegAuditWish::Off {
                    write.forget_audit()?;
                }
                write.set_meta(WISH, &text)?;
                stale(write, &[Tag::Audit]);
                Ok(())
            })?;
            if request.wish == PegAuditWish::Off {
                *held = Held::new(request.wish);
            }
            held.wish = request.wish;
            held.trouble = None;
            held.effort = Effort::default();
            Ok::<_, Refusal>(self.audit_view(&held))
        });
        self.audit.wake.notify_one();
        view
    }
}
