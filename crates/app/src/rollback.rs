//! Deep rollbacks: what had been final for somebody and is not any more is told until that person has seen it.

use crate::history;
use crate::memory::{Core, network_name, stale};
use crate::profile::{Profile, now};
use causeway_contract::{Empty, Failure, HistoryRow, NetworkRef, RollbackFate, RollbackRow, RollbackView, Tag};
use causeway_store::{Reader, Write};
use causeway_vocab::{Height, NetworkId, Refusal};
use serde::{Deserialize, Serialize};

/// Most payments that are remembered of one rollback.
const MOST: usize = 1_000;

/// Undoing so many blocks is nothing out of the ordinary.
fn ordinary(network: NetworkId) -> u32 {
    match network {
        NetworkId::Bitcoin => 6,
        NetworkId::Sidechain => 2,
    }
}

/// A rollback as it is kept.
#[derive(Serialize, Deserialize)]
struct Seen {
    fork: Height,
    depth: u32,
    time: u32,
    /// Wallet and payment, newest first.
    rows: Vec<(u32, HistoryRow)>,
}

fn meta(network: NetworkId) -> String {
    format!("rollback-{}", network_name(network))
}

fn seen(reader: &Reader<'_>, network: NetworkId) -> Result<Option<Seen>, Refusal> {
    Ok(reader.meta(&meta(network))?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Remembers what a rollback is about to undo. Call before the wallets hear of it.
pub(crate) fn note(core: &Core, write: &mut Write<'_>, network: NetworkId, fork: Height) -> Result<(), Refusal> {
    let depth = core.chain(network).height().saturating_sub(fork);
    if depth <= ordinary(network) {
        return Ok(());
    }
    let mut rows = Vec::new();
    for (id, wallet) in &core.wallets {
        let above = history::rows_above(core, write, wallet, network, fork, MOST - rows.len())?;
        rows.extend(above.into_iter().map(|row| (*id, row)));
    }
    let mut this = Seen { fork, depth, time: now(), rows };
    // Nobody has seen the one before: what it undid may still be on its way.
    if let Some(before) = seen(write, network)? {
        let known = |id: u32, row: &HistoryRow| this.rows.iter().any(|(i, r)| *i == id && r.txid == row.txid);
        let more: Vec<_> = before.rows.into_iter().filter(|(id, row)| !known(*id, row)).collect();
        this.rows.extend(more);
        this.rows.truncate(MOST);
        (this.fork, this.depth) = (this.fork.min(before.fork), this.depth.max(before.depth));
    }
    if !this.rows.is_empty() {
        write.set_meta(&meta(network), &serde_json::to_string(&this).expect("BUG: rows are JSON"))?;
        stale(write, &[Tag::History]);
    }
    Ok(())
}

impl Profile {
    pub(crate) async fn rollbacks(&self, _: Empty) -> Result<Vec<RollbackView>, Failure> {
        self.read(|core, reader| {
            let mut views = Vec::new();
            for network in NetworkId::ALL {
                let (Some(seen), Ok(wallet)) = (seen(reader, network)?, core.selected()) else { continue };
                let mut view = RollbackView {
                    network,
                    fork_height: seen.fork,
                    depth: seen.depth,
                    time: seen.time,
                    changed: Vec::new(),
                    unchanged: 0,
                };
                for (_, before) in seen.rows.into_iter().filter(|(id, _)| *id == wallet.row.id) {
                    let height = history::height_of(wallet, network, &before.txid);
                    let now = match height {
                        Some(now) if now == before.height => {
                            view.unchanged += 1;
                            continue;
                        }
                        Some(Some(_)) => RollbackFate::Moved,
                        Some(None) => RollbackFate::Waiting,
                        None => RollbackFate::Gone,
                    };
                    view.changed.push(RollbackRow { before, now, height: height.flatten() });
                }
                if !view.changed.is_empty() || view.unchanged > 0 {
                    views.push(view);
                }
            }
            Ok(views)
        })
    }

    /// Has been seen: it is not told again.
    pub(crate) async fn rollback_dismiss(&self, request: NetworkRef) -> Result<Empty, Failure> {
        self.change(|_, write| write.set_meta(&meta(request.network), ""))?;
        Ok(Empty {})
    }
}
