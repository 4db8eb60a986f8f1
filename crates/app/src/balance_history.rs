//! How the balance came about: on Bitcoin, on the sidechain, and on the way between.

use crate::operations::{PegIn, PegOut};
use crate::profile::Profile;
use causeway_contract::{Atoms, BalanceHistory, BalanceHistoryRequest, BalanceStep, Failure};
use causeway_journal::Machine as _;
use causeway_store::LinkRow;
use std::collections::HashMap;

/// Steps at most; older ones are merged.
const MOST_STEPS: usize = 5_000;

/// By how much, in satoshi, the balance changes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Move {
    time: u32,
    bitcoin: i128,
    sidechain: i128,
    crossing: i128,
}

/// When a transaction was made and by how much it changes the chain's balance, without the fee that we pay.
type Changes = HashMap<String, (u32, i128)>;

impl Profile {
    pub(crate) async fn balance_history(&self, request: BalanceHistoryRequest) -> Result<BalanceHistory, Failure> {
        self.read(|core, reader| {
            let Ok(wallet) = core.selected() else { return Ok(BalanceHistory { steps: Vec::new() }) };
            let into = reader.linked_transactions(wallet.row.id, PegIn::KIND)?;
            let out = reader.linked_transactions(wallet.row.id, PegOut::KIND)?;
            let mut linked: Changes = into.iter().chain(&out).map(|link| (link.txid.clone(), (0, 0))).collect();
            let mut note = |txid: String, time, change| {
                linked.entry(txid).and_modify(|known| *known = (time, change));
            };
            let mut moves = Vec::new();
            for entry in wallet.bitcoin.history(0, wallet.bitcoin.history_len()) {
                let time = u32::try_from(entry.time).unwrap_or(u32::MAX);
                let bitcoin = i128::from(entry.received.0) - i128::from(entry.sent.0);
                let paid = entry.fee.filter(|_| bitcoin < 0).map_or(0, |fee| i128::from(fee.0));
                note(entry.txid.to_string(), time, bitcoin + paid);
                moves.push(Move { time, bitcoin, sidechain: 0, crossing: 0 });
            }
            let policy = core.realm.sidechain.policy_asset;
            for entry in wallet.sidechain.history(None) {
                let sidechain = entry.net.get(&policy).copied().unwrap_or(0);
                let paid = if sidechain < 0 { i128::from(entry.fee) } else { 0 };
                note(entry.txid.to_string(), entry.time, sidechain + paid);
                moves.push(Move { time: entry.time, bitcoin: 0, sidechain, crossing: 0 });
            }
            moves.extend(crossings(&into, ("deposit", "claim"), &linked));
            moves.extend(crossings(&out, ("burn", "payment"), &linked));
            moves.retain(|m| (m.bitcoin, m.sidechain, m.crossing) != (0, 0, 0));
            moves.sort_by_key(|m| m.time);
            Ok(BalanceHistory { steps: steps(&moves, request.since.unwrap_or(0)) })
        })
    }
}

/// What leaves a chain by a transaction in the first role is on the way until one in the second role brings it: to us, or it was never a part of
/// our balance again. What is on its way in an operation that is over will not arrive.
fn crossings(links: &[LinkRow], (leaves, arrives): (&str, &str), changes: &Changes) -> Vec<Move> {
    let mut moves = Vec::new();
    for links in links.chunk_by(|a, b| a.operation == b.operation) {
        let of = |role| links.iter().find(|link| link.role == role);
        let change = |link: &LinkRow| changes.get(&link.txid).copied().filter(|change| *change != (0, 0));
        let Some((left, amount)) = of(leaves).and_then(change).filter(|(_, amount)| *amount < 0) else { continue };
        let on_the_way = |time, crossing| Move { time, bitcoin: 0, sidechain: 0, crossing };
        match of(arrives).map(change) {
            Some(Some((arrived, amount))) if arrived > left => {
                moves.extend([on_the_way(left, amount), on_the_way(arrived, -amount)])
            }
            None if !links[0].finished => moves.push(on_the_way(left, -amount)),
            _ => {}
        }
    }
    moves
}

/// Running sums from `since` on; the first step holds what came before.
fn steps(moves: &[Move], since: u32) -> Vec<BalanceStep> {
    let figure = |sum: i128| Atoms(u64::try_from(sum.max(0)).unwrap_or(u64::MAX));
    let (mut bitcoin, mut sidechain, mut crossing) = (0, 0, 0);
    let mut steps: Vec<BalanceStep> = Vec::new();
    for m in moves {
        (bitcoin, sidechain, crossing) = (bitcoin + m.bitcoin, sidechain + m.sidechain, crossing + m.crossing);
        let step = BalanceStep {
            time: m.time.max(since),
            bitcoin: figure(bitcoin),
            sidechain: figure(sidechain),
            crossing: figure(crossing),
        };
        match steps.last_mut() {
            Some(last) if last.time == step.time => *last = step,
            _ => steps.push(step),
        }
    }
    // A chart has no more points than a screen has columns; the last steps are kept whole.
    let excess = steps.len().saturating_sub(MOST_STEPS);
    steps.split_off(excess)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(time: u32, bitcoin: i128, sidechain: i128) -> Move {
        Move { time, bitcoin, sidechain, crossing: 0 }
    }

    fn link(operation: u32, finished: bool, txid: &str, role: &str) -> LinkRow {
        LinkRow { operation, finished, txid: txid.into(), role: role.into() }
    }

    #[test]
    fn a_balance_history_starts_with_what_came_before() {
        let moves = [on(10, 5, 0), on(20, 0, 7), on(20, 1, 0), on(30, -2, 0)];
        let figures = |since| steps(&moves, since).iter().map(|s| (s.time, s.bitcoin.0, s.sidechain.0)).collect::<Vec<_>>();
        assert_eq!(figures(0), [(10, 5, 0), (20, 6, 7), (30, 4, 7)]);
        assert_eq!(figures(25), [(25, 6, 7), (30, 4, 7)]);
    }

    #[test]
    fn what_crosses_is_never_missing_from_the_sum() {
        let links = [
            link(1, true, "deposit", "deposit"),
            link(1, true, "claim", "claim"),
            link(2, false, "open", "deposit"),
            link(3, true, "failed", "deposit"),
            link(4, false, "from elsewhere", "deposit"),
            link(5, true, "burn", "deposit"),
            link(5, true, "to somebody else", "claim"),
        ];
        let changes = Changes::from([
            ("deposit".into(), (100, -1_000)),
            ("claim".into(), (200, 990)),
            ("open".into(), (300, -50)),
            ("failed".into(), (310, -60)),
            ("from elsewhere".into(), (0, 0)),
            ("burn".into(), (320, -70)),
            ("to somebody else".into(), (0, 0)),
        ]);
        let mut moves = crossings(&links, ("deposit", "claim"), &changes);
        moves.extend([on(90, 2_000, 0), on(100, -1_010, 0), on(200, 0, 990), on(300, -55, 0), on(310, -60, 0), on(320, 0, -71)]);
        moves.sort_by_key(|m| m.time);
        let sums = |s: &BalanceStep| (s.time, s.bitcoin.0 + s.sidechain.0 + s.crossing.0, s.crossing.0);
        let seen: Vec<_> = steps(&moves, 0).iter().map(sums).collect();
        assert_eq!(
            seen,
            [(90, 2_000, 0), (100, 1_980, 990), (200, 1_980, 0), (300, 1_975, 50), (310, 1_915, 50), (320, 1_844, 50)]
        );
    }
}
