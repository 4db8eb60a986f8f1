//! The audit as faces see it.

use super::{Held, Settled};
use crate::profile::Profile;
use causeway_contract::{PegAudit, PegAuditReach, PegAuditState, PegAuditWish, PegBooks, PegPoint, PegSpend};
use causeway_sidechain::audit::{Point, Unexplained};
use causeway_vocab::Atoms;

/// A chain that grew by so few blocks since it was read counts as read: what is shown are the books of the block named in them.
const FEW_BEHIND: u32 = 2;

impl Profile {
    pub(super) fn audit_view(&self, held: &Held) -> PegAudit {
        let sidechain = reach(held.sidechain.last().map(|mark| mark.0), self.clients.sidechain.tip().height);
        let claimed = held.bitcoin_state.map_or(0, |state| state.headers);
        let bitcoin = reach(held.bitcoin.last().map(|mark| mark.0), self.clients.bitcoin.tip().height.max(claimed));
        let near = |reach: &PegAuditReach, settled: u32| reach.of.saturating_sub(reach.done.max(settled)) <= FEW_BEHIND;
        let at_tips = |settled: &&Settled| near(&sidechain, settled.sidechain) && near(&bitcoin, settled.bitcoin);
        let state = match (held.wish, held.settled.as_ref().filter(at_tips)) {
            (PegAuditWish::Off, _) => PegAuditState::Off,
            (PegAuditWish::Paused, _) => PegAuditState::Paused,
            (PegAuditWish::On, None) => PegAuditState::Running,
            (PegAuditWish::On, Some(settled)) if settled.summary.short => PegAuditState::Shortfall,
            (PegAuditWish::On, Some(_)) => PegAuditState::Complete,
        };
        let books = held.settled.as_ref().map(books);
        let eta = if state == PegAuditState::Running { held.effort.remaining() } else { None };
        PegAudit { state, sidechain, bitcoin, eta, books, trouble: held.trouble.clone() }
    }
}

fn reach(done: Option<u32>, of: u32) -> PegAuditReach {
    let done = done.unwrap_or(0);
    PegAuditReach { done, of: of.max(done) }
}

fn books(settled: &Settled) -> PegBooks {
    let s = &settled.summary;
    let spend = |one: &Unexplained| PegSpend { txid: one.txid.to_string(), amount: Atoms(one.sat) };
    let point = |at: &Point| PegPoint { time: at.time, circulating: Atoms(at.circulating), reserve: Atoms(at.reserve) };
    PegBooks {
        sidechain_height: settled.sidechain,
        bitcoin_height: settled.bitcoin,
        pegged_in: Atoms(s.pegged_in),
        pegged_out: Atoms(s.pegged_out),
        burned: Atoms(s.burned),
        created: Atoms(s.created),
        circulating: Atoms(s.circulating),
        unpaid: Atoms(s.unpaid),
        owed: Atoms(s.owed()),
        reserve: Atoms(s.reserve),
        at_old_scripts: Atoms(s.at_old_scripts),
        unplaced: Atoms(s.unplaced),
        bad_claims: s.bad_claims,
        unexplained: Atoms(s.unexplained),
        unexplained_by: s.unexplained_by.iter().map(spend).collect(),
        fees: Atoms(s.fees),
        coverage: s.coverage.map(|share| u32::try_from(share).unwrap_or(u32::MAX)),
        missing: Atoms(s.missing),
        points: s.points.iter().map(point).collect(),
    }
}
