//! Where a process dies: before or after a commit of the store, counted.

use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// On which side of the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Everything was written and nothing committed: what the world was told before is not on disk.
    Before,
    /// It is on disk, and nobody has acted on it.
    After,
}

/// Where to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Count only the commits that keep a draft or a journal entry, not all of them.
    pub steps: bool,
    /// Count from the start of the process, so that it dies while it recovers; else from when it is ready to work.
    pub at_open: bool,
    /// The commit, from 1.
    pub number: u32,
    /// Before or after it.
    pub side: Side,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.steps { "step" } else { "commit" };
        let from = if self.at_open { "open" } else { "work" };
        let side = if self.side == Side::Before { "before" } else { "after" };
        write!(f, "{what}:{from}:{}:{side}", self.number)
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Point, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [what @ ("step" | "commit"), from @ ("open" | "work"), number, side @ ("before" | "after")] = parts[..] else {
            return Err(format!("{text:?} is no point"));
        };
        let number = number.parse().map_err(|_| format!("{number:?} is no number"))?;
        let side = if side == "before" { Side::Before } else { Side::After };
        Ok(Point { steps: what == "step", at_open: from == "open", number, side })
    }
}

/// How many commits there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// All.
    pub commits: u32,
    /// Those that kept a draft or a journal entry.
    pub steps: u32,
}

/// Counts the commits of this process and dies at `point`; the answer tells the count so far. Counting starts now, or at once when the
/// point says so, else with [`Counter::start`].
pub fn arm(point: Option<Point>) -> Counter {
    let counter = Counter(Arc::new(Counts::default()));
    counter.0.on.store(point.is_some_and(|point| point.at_open), Ordering::SeqCst);
    let counts = Arc::clone(&counter.0);
    hook("store-step", move || counts.in_step.store(true, Ordering::SeqCst));
    let counts = Arc::clone(&counter.0);
    hook("store-inside-commit", move || {
        if counts.on.load(Ordering::SeqCst) {
            counts.commits.fetch_add(1, Ordering::SeqCst);
            if counts.in_step.load(Ordering::SeqCst) {
                counts.steps.fetch_add(1, Ordering::SeqCst);
            }
            counts.die(point, Side::Before);
        }
    });
    let counts = Arc::clone(&counter.0);
    hook("store-after-commit", move || {
        if counts.on.load(Ordering::SeqCst) {
            counts.die(point, Side::After);
        }
        counts.in_step.store(false, Ordering::SeqCst);
    });
    counter
}

fn hook(name: &str, work: impl Fn() + Send + Sync + 'static) {
    fail::cfg_callback(name, work).expect("BUG: a callback is always taken");
}

/// Counts the commits of this process.
pub struct Counter(Arc<Counts>);

#[derive(Default)]
struct Counts {
    on: AtomicBool,
    /// The transaction under way keeps a step. Transactions come one at a time.
    in_step: AtomicBool,
    commits: AtomicU32,
    steps: AtomicU32,
}

impl Counts {
    fn die(&self, point: Option<Point>, side: Side) {
        let Some(point) = point.filter(|point| point.side == side) else { return };
        let of_steps = self.in_step.load(Ordering::SeqCst);
        let reached = if point.steps { &self.steps } else { &self.commits };
        if (of_steps || !point.steps) && reached.load(Ordering::SeqCst) == point.number {
            // What `kill -9` does: no unwinding, no destructors, no flushing.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::process::abort();
        }
    }
}

impl Counter {
    /// Counts from now on.
    pub fn start(&self) {
        self.0.on.store(true, Ordering::SeqCst);
    }

    /// The count so far.
    pub fn count(&self) -> Count {
        Count { commits: self.0.commits.load(Ordering::SeqCst), steps: self.0.steps.load(Ordering::SeqCst) }
    }
}
