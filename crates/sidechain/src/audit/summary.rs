//! The numbers of the audit and their course over time.

use super::ledger::Ledger;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use causeway_vocab::Height;
use std::collections::{BTreeMap, HashMap};

/// What a transaction may leave to the miners out of the reserve: change too small to keep, satoshi (the greatest dust limit of a common output),
/// or one part in so many of what it moves. More is no fee.
const DUST: u64 = 546;
const FEE_PART: u64 = 100;
/// Most steps of the curves.
const POINTS: u32 = 240;
/// Most transactions named as unexplained.
const NAMED: usize = 20;

/// Both curves at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Unix seconds.
    pub time: u32,
    /// Pegged in − pegged out − burned until then, satoshi.
    pub circulating: u64,
    /// Held on Bitcoin then, satoshi.
    pub reserve: u64,
}

/// A transaction that took coins of the federation somewhere that no peg-out asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unexplained {
    /// On Bitcoin.
    pub txid: Txid,
    /// Satoshi.
    pub sat: u64,
}

/// The audit's result. Sums that overflow stay at the greatest number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Claimed.
    pub pegged_in: u64,
    /// Destroyed for a payment on Bitcoin.
    pub pegged_out: u64,
    /// Destroyed visibly and for nothing.
    pub burned: u64,
    /// Made without a claim.
    pub created: u64,
    /// What is left of it on the sidechain.
    pub circulating: u64,
    /// Of `pegged_out`, what no payment on Bitcoin has been seen for.
    pub unpaid: u64,
    /// Held on Bitcoin.
    pub reserve: u64,
    /// Of `reserve`, what lies at peg scripts that are no longer in force.
    pub at_old_scripts: u64,
    /// Claimed with deposits whose block is not of the best Bitcoin chain as known here.
    pub unplaced: u64,
    /// Claims that break a rule.
    pub bad_claims: u32,
    /// What left the reserve without a peg-out that asked for it.
    pub unexplained: u64,
    /// By which transactions, the newest twenty.
    pub unexplained_by: Vec<Unexplained>,
    /// What miners took out of the reserve, beyond what was deducted from peg-outs: for moving coins, and as change too small to keep.
    pub fees: u64,
    /// `reserve` in ten-thousandths of what is owed, rounded down. `None` while nothing is owed.
    pub coverage: Option<u64>,
    /// What the reserve lacks of what is owed.
    pub missing: u64,
    /// It lacks more than miners may have taken.
    pub short: bool,
    /// The curves, ascending in time.
    pub points: Vec<Point>,
}

impl Summary {
    /// What the federation owes: what circulates, and what it has promised to pay.
    pub fn owed(&self) -> u64 {
        self.circulating.saturating_add(self.unpaid)
    }
}

struct Coin {
    sat: u64,
    born: u32,
    spent: Option<u32>,
    old: bool,
}

fn sum(values: impl IntoIterator<Item = u64>) -> u64 {
    values.into_iter().fold(0, u64::saturating_add)
}

impl Ledger {
    /// Adds everything up. `place` gives height and time of a block of the best Bitcoin chain.
    pub fn summary(&self, place: impl Fn(&bitcoin::BlockHash) -> Option<(Height, u32)>) -> Summary {
        let mut summary = Summary::default();
        let mut coins = self.coins(&place, &mut summary);
        let (mut fees, mut allowed) = (0_u64, 0_u64);
        for facts in self.bitcoin.values() {
            for spend in &facts.spends {
                let mut held = 0_u64;
                for outpoint in &spend.inputs {
                    if let Some(coin) = coins.get_mut(outpoint) {
                        coin.spent = Some(facts.time);
                        held = held.saturating_add(coin.sat);
                    }
                }
                let fee = held.saturating_sub(spend.out);
                fees = fees.saturating_add(fee);
                allowed = allowed.saturating_add(fee.min(DUST.max(held / FEE_PART)));
            }
        }
        let unspent = || coins.values().filter(|coin| coin.spent.is_none());
        summary.reserve = sum(unspent().map(|coin| coin.sat));
        summary.at_old_scripts = sum(unspent().filter(|coin| coin.old).map(|coin| coin.sat));
        let facts = || self.sidechain.values();
        summary.pegged_in = sum(facts().flat_map(|facts| &facts.claims).map(|claim| claim.sat));
        summary.pegged_out = sum(facts().flat_map(|facts| &facts.requested).map(|request| request.sat));
        summary.burned = sum(facts().map(|facts| facts.burned));
        summary.created = sum(facts().map(|facts| facts.created));
        let left = summary.pegged_out.saturating_add(summary.burned);
        summary.circulating = summary.created.saturating_add(summary.pegged_in).saturating_sub(left);
        let deducted = self.match_payments(&mut summary);
        summary.fees = fees.saturating_sub(deducted);
        let owed = summary.owed();
        let share = u128::from(summary.reserve) * 10_000;
        summary.coverage = (owed > 0).then(|| u64::try_from(share / u128::from(owed)).unwrap_or(u64::MAX));
        summary.missing = owed.saturating_sub(summary.reserve);
        summary.short = summary.missing > summary.fees.min(allowed);
        summary.points = self.points(coins.values());
        summary
    }

    /// Every coin that the federation ever held. A deposit that was claimed twice is one coin.
    fn coins(
        &self,
        place: impl Fn(&bitcoin::BlockHash) -> Option<(Height, u32)>,
        summary: &mut Summary,
    ) -> HashMap<OutPoint, Coin> {
        let epochs = || self.sidechain.values().filter_map(|facts| facts.fedpeg.as_ref());
        let in_force = epochs().next_back();
        let scripts: HashMap<Height, &ScriptBuf> = epochs().map(|fedpeg| (fedpeg.epoch_start, &fedpeg.script)).collect();
        let mut coins = HashMap::new();
        for claim in self.sidechain.values().flat_map(|facts| &facts.claims) {
            let Some(epoch) = claim.epoch else {
                summary.bad_claims += 1;
                continue;
            };
            let old = scripts.get(&epoch).copied() != in_force.map(|fedpeg| &fedpeg.script);
            match place(&claim.block) {
                Some((_, born)) => drop(coins.insert(claim.deposit, Coin { sat: claim.sat, born, spent: None, old })),
                None => summary.unplaced = summary.unplaced.saturating_add(claim.sat),
            }
        }
        for facts in self.bitcoin.values() {
            for kept in &facts.kept {
                let old = in_force.is_none_or(|fedpeg| !super::ledger::untweaked(fedpeg).contains(&kept.script));
                coins.insert(kept.outpoint, Coin { sat: kept.sat, born: facts.time, spent: None, old });
            }
        }
        coins
    }

    /// Finds the peg-out behind each payment: the same destination, the smallest amount that is not smaller. Nobody says which fee a peg-out is
    /// charged, so the amounts need not be equal. Gives what was deducted in all.
    fn match_payments(&self, summary: &mut Summary) -> u64 {
        let mut open: HashMap<&ScriptBuf, BTreeMap<u64, u32>> = HashMap::new();
        for request in self.sidechain.values().flat_map(|facts| &facts.requested) {
            *open.entry(&request.destination).or_default().entry(request.sat).or_default() += 1;
        }
        let mut paid: HashMap<&ScriptBuf, Vec<(u64, Height, Txid)>> = HashMap::new();
        for (height, facts) in &self.bitcoin {
            for one in &facts.paid {
                paid.entry(&one.destination).or_default().push((one.sat, *height, one.txid));
            }
        }
        let mut unexplained: BTreeMap<(Height, Txid), u64> = BTreeMap::new();
        let mut deducted = 0_u64;
        for (destination, mut payments) in paid {
            payments.sort_unstable();
            let mut requests = open.get_mut(destination);
            for (sat, height, txid) in payments {
                let fits = requests.as_mut().and_then(|requests| {
                    let asked = *requests.range(sat..).next()?.0;
                    let left = requests.get_mut(&asked)?;
                    *left -= 1;
                    if *left == 0 {
                        requests.remove(&asked);
                    }
                    Some(asked)
                });
                match fits {
                    Some(asked) => deducted = deducted.saturating_add(asked - sat),
                    None => {
                        let total = unexplained.entry((height, txid)).or_default();
                        *total = total.saturating_add(sat);
                    }
                }
            }
        }
        let amounts = open.values().flatten().map(|(sat, count)| sat.saturating_mul(u64::from(*count)));
        summary.unpaid = sum(amounts);
        summary.unexplained = sum(unexplained.values().copied());
        let newest = unexplained.iter().rev().take(NAMED);
        summary.unexplained_by = newest.map(|((_, txid), sat)| Unexplained { txid: *txid, sat: *sat }).collect();
        deducted
    }

    fn points<'c>(&self, coins: impl Iterator<Item = &'c Coin>) -> Vec<Point> {
        let mut changes: Vec<(u32, i128, i128)> = Vec::new();
        for facts in self.sidechain.values() {
            let made = facts.claims.iter().map(|claim| i128::from(claim.sat)).sum::<i128>() + i128::from(facts.created);
            let gone = facts.requested.iter().map(|request| i128::from(request.sat)).sum::<i128>() + i128::from(facts.burned);
            if made != 0 || gone != 0 {
                changes.push((facts.time, made - gone, 0));
            }
        }
        for coin in coins {
            let sat = i128::from(coin.sat);
            changes.push((coin.born, 0, sat));
            changes.extend(coin.spent.map(|time| (time, 0, -sat)));
        }
        changes.sort_unstable();
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return Vec::new() };
        let (first, last) = (first.0, last.0);
        let step = (last - first).div_ceil(POINTS).max(1);
        let mut points: Vec<Point> = Vec::new();
        let (mut circulating, mut reserve) = (0, 0);
        let clamp = |value: i128| u64::try_from(value.max(0)).unwrap_or(u64::MAX);
        let mut rest = changes.into_iter().peekable();
        let mut time = first;
        loop {
            while let Some((_, made, held)) = rest.next_if(|change| change.0 <= time) {
                circulating += made;
                reserve += held;
            }
            points.push(Point { time, circulating: clamp(circulating), reserve: clamp(reserve) });
            if time >= last {
                return points;
            }
            time = time.saturating_add(step).min(last);
        }
    }
}
