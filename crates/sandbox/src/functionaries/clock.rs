//! The clock that paces blocks. It can be stopped, and it can be put forward when somebody asks for blocks now.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Shared by all functionaries, so that what one of them takes for late the others take for late too.
pub(crate) struct Clock {
    reading: Mutex<Reading>,
    moved: watch::Sender<()>,
}

struct Reading {
    /// Shown at `since`, or now when the clock stands still.
    shown: Duration,
    since: Option<Instant>,
    paused: bool,
    /// How many want it to run although it is paused.
    wanted: u32,
}

impl Reading {
    fn new(instant: Instant) -> Reading {
        Reading { shown: Duration::ZERO, since: Some(instant), paused: false, wanted: 0 }
    }

    fn at(&self, instant: Instant) -> Duration {
        self.shown + self.since.map_or(Duration::ZERO, |since| instant.saturating_duration_since(since))
    }

    /// Starts or stops as the settings have it.
    fn settle(&mut self, instant: Instant) {
        self.shown = self.at(instant);
        self.since = (!self.paused || self.wanted > 0).then_some(instant);
    }
}

/// Lets a paused clock run until it is dropped.
pub(super) struct Meanwhile<'a>(&'a Clock);

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock { reading: Mutex::new(Reading::new(Instant::now())), moved: watch::Sender::new(()) }
    }

    /// Milliseconds shown; never less than before.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.reading().at(Instant::now()).as_millis()).unwrap_or(u64::MAX)
    }

    /// Puts the clock forward.
    pub(crate) fn skip(&self, by: Duration) {
        self.change(|reading| reading.shown += by);
    }

    /// Lets the clock stand still, or run.
    pub(crate) fn pause(&self, paused: bool) {
        self.change(|reading| reading.paused = paused);
    }

    /// Lets the clock run, paused or not, as long as the result lives.
    pub(super) fn run_meanwhile(&self) -> Meanwhile<'_> {
        self.change(|reading| reading.wanted += 1);
        Meanwhile(self)
    }

    /// Wakes up whenever the clock was put forward, stopped or started.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        let mut reading = self.reading();
        change(&mut reading);
        reading.settle(Instant::now());
        drop(reading);
        self.moved.send_replace(());
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Meanwhile<'_> {
    fn drop(&mut self) {
        self.0.change(|reading| reading.wanted -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_clock_moves_only_when_put_forward_or_wanted() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut reading = Reading::new(start);
        assert_eq!(reading.at(after(250)).as_millis(), 250);
        reading.paused = true;
        reading.settle(after(250));
        assert_eq!(reading.at(after(500)).as_millis(), 250);
        reading.shown += Duration::from_millis(1000);
        reading.wanted = 1;
        reading.settle(after(500));
        assert_eq!(reading.at(after(750)).as_millis(), 1500);
        reading.wanted = 0;
        reading.settle(after(750));
        assert_eq!(reading.at(after(900)).as_millis(), 1500);
    }
}
