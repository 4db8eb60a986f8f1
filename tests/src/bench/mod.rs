//! The figures: each measured together with its limit in the same run, so that the ratio means something on any machine.
//!
//! Times are the least of several rounds in which the code and its raw limit take turns: other work on the machine only ever adds.
#![allow(clippy::float_arithmetic, reason = "measured times are no money")]

mod colouring;
mod desktop;
mod history;
mod lab;
mod node;
mod responsive;
mod scrolling;
mod staking;
mod sync;
mod transaction;
mod unblinding;
mod verification;

use serde::Serialize;
use std::time::{Duration, Instant};

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// How much it is.
    pub value: f64,
    /// Unit of value and limit.
    pub unit: &'static str,
    /// What physics or the budget allows.
    pub limit: f64,
    /// What the limit is.
    pub limit_what: String,
    /// `value / limit`.
    pub ratio: f64,
    /// Largest ratio that is good.
    pub bound: f64,
    /// The ratio is within the bound.
    pub ok: bool,
}

impl Figure {
    fn new(name: &'static str, unit: &'static str, value: f64, limit: f64, limit_what: impl Into<String>, bound: f64) -> Figure {
        let ratio = value / limit;
        let round = |number: f64| (number * 1_000.0).round() / 1_000.0;
        Figure {
            name,
            value: round(value),
            unit,
            limit: round(limit),
            limit_what: limit_what.into(),
            ratio: round(ratio),
            bound,
            ok: ratio <= bound,
        }
    }
}

/// What a figure came to: itself, or why it could not be measured.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Measured.
    Measured(Figure),
    /// Not measured, which is as bad as a missed bound.
    Failed {
        /// Which.
        name: &'static str,
        /// Why.
        error: String,
        /// Never.
        ok: bool,
    },
}

impl Outcome {
    /// Within its bound.
    pub fn is_ok(&self) -> bool {
        matches!(self, Outcome::Measured(figure) if figure.ok)
    }
}

/// Everything that was measured, and on what.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Cores that this process may use.
    pub cores: usize,
    /// Processes that wanted a core during the last minute, before the run; far above `cores` the times mean little and the ratios more.
    pub load_before: f64,
    /// The same after the run.
    pub load_after: f64,
    /// Built with optimisation.
    pub release: bool,
    /// The figures.
    pub figures: Vec<Outcome>,
    /// Every figure is within its bound.
    pub ok: bool,
}

/// Names of the groups of figures that can be measured alone.
pub const GROUPS: [&str; 10] = [
    "desktop",
    "sync",
    "unblinding",
    "transaction",
    "history",
    "scrolling",
    "staking",
    "colouring",
    "verification",
    "responsive",
];

/// Measures the groups named in `only`, or all. `report` hears each figure as it is measured.
///
/// Expects `causeway-desktop` and `causeway-sandbox` beside this program, a bitcoind where the sandbox finds it, and the path of tauri-driver
/// in `TAURI_DRIVER`.
pub async fn measure(only: &[String], mut report: impl FnMut(&Outcome)) -> Report {
    let load_before = load();
    let mut figures = Vec::new();
    for group in GROUPS.into_iter().filter(|group| only.is_empty() || only.iter().any(|name| name == group)) {
        let measured = match group {
            "desktop" => desktop::measure().await,
            "sync" => sync::measure().await.map(|figure| vec![figure]),
            "unblinding" => unblinding::measure().map(|figure| vec![figure]),
            "transaction" => transaction::measure(),
            "staking" => staking::measure(),
            "scrolling" => scrolling::measure().await,
            "verification" => verification::measure(),
            "colouring" => colouring::measure(),
            "responsive" => responsive::measure().await,
            _ => history::measure().await.map(|figure| vec![figure]),
        };
        let outcomes = match measured {
            Ok(measured) => measured.into_iter().map(Outcome::Measured).collect(),
            Err(error) => vec![Outcome::Failed { name: group, error, ok: false }],
        };
        outcomes.iter().for_each(&mut report);
        figures.extend(outcomes);
    }
    let ok = figures.iter().all(Outcome::is_ok);
    Report { cores: cores(), load_before, load_after: load(), release: !cfg!(debug_assertions), figures, ok }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Raw work, measured in two ways.
#[derive(Clone, Copy)]
struct Raw {
    /// On one core, the others idle.
    alone: Duration,
    /// On every core at once: the mean over the cores. Neighbouring cores share caches, clocks and sometimes the silicon itself, so `alone`
    /// divided by their number is less than any program can reach.
    together: Duration,
}

impl Raw {
    const LONGEST: Raw = Raw { alone: Duration::MAX, together: Duration::MAX };

    fn of(work: impl Fn() + Sync) -> Raw {
        Raw { alone: timed(&work).1, together: on_each_core(&work) }
    }

    fn least(self, other: Raw) -> Raw {
        Raw { alone: self.alone.min(other.alone), together: self.together.min(other.together) }
    }

    /// What the limit is, and how the ratio would stand against one core alone.
    fn what(self, work: &str) -> String {
        let kinder = self.together.as_secs_f64() / self.alone.as_secs_f64();
        format!("{work}, with every core busy, / {} cores; one core alone is {kinder:.2} x as fast", cores())
    }
}

/// How long work takes when every core is busy with it: the mean over the cores.
fn on_each_core(work: impl Fn() + Sync) -> Duration {
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores()).map(|_| scope.spawn(|| timed(&work).1)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    times.iter().sum::<Duration>().div_f64(times.len() as f64)
}

/// What a piece of work gave, and how long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}
