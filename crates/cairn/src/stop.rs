//! What tells a command to end early: Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Failure, Result};

/// The signals that ask this process to end. Those that arrive while nobody waits are remembered:
/// made once, before the work begins, it misses none.
#[derive(Debug)]
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Takes the signals from here on.
    pub(crate) fn new() -> Result<Self> {
        let on = |kind| {
            signal(kind).map_err(|cause| Failure::failed(format!("cannot catch signals: {cause}")))
        };
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next such signal.
    pub(crate) async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Runs something that may be dropped at any point, to its end or to the next such signal. What
    /// a signal broke is told as the interruption, not as the failure that it led to.
    pub(crate) async fn or_told<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.told() => Err(Failure::Interrupted),
            outcome = work => outcome,
        }
    }
}
