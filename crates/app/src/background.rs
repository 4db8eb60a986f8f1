//! Work that nobody waits for, on threads of its own: they leave a core to everybody else and have a weak claim to the others, so that a person
//! who asks something meanwhile is answered first.

use std::num::NonZero;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::oneshot;

/// How much less than others these threads claim: a ninth of what anybody else gets of a core that both want.
const NICE: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when this is dropped, after what they are at.
pub(crate) struct Background {
    jobs: mpsc::Sender<Job>,
}

/// How many threads a machine gets: all cores but one.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1).max(1)
}

impl Background {
    pub(crate) fn start() -> std::io::Result<Background> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads() {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name("background".into()).spawn(move || {
                // On Linux this is about the thread. Where it is refused the work is done all the same.
                let _ = rustix::process::nice(NICE);
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = next else { return };
                    job();
                }
            })?;
        }
        Ok(Background { jobs })
    }

    /// Does `work` when its turn comes. `None` when it panics.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (done, answer) = oneshot::channel();
        let job = move || {
            if let Ok(value) = std::panic::catch_unwind(AssertUnwindSafe(work)) {
                // Whoever asked may be gone.
                let _ = done.send(value);
            }
        };
        self.jobs.send(Box::new(job)).ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_beside_the_others_and_a_panic_harms_nobody() {
        let background = Background::start().expect("threads");
        let caller = std::thread::current().id();
        assert_eq!(background.run(move || std::thread::current().id() != caller).await, Some(true));
        for _ in 0..2 * threads() {
            assert_eq!(background.run(|| -> u32 { panic!("on purpose") }).await, None);
        }
        let jobs = (0..100u32).map(|n| background.run(move || n));
        let mut done = Vec::new();
        for job in jobs {
            done.extend(job.await);
        }
        assert_eq!(done, (0..100).collect::<Vec<_>>());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_yield_to_the_others() {
        let background = Background::start().expect("threads");
        let nice = || rustix::process::nice(0).expect("a number");
        let before = nice();
        assert_eq!(background.run(nice).await, Some((before + NICE).min(19)), "less than whoever started them");
        assert_eq!(nice(), before, "this thread's claim is what it was");
    }
}
