//! What is looked at now and then while a server runs.

use std::{sync::Weak, time::Duration};

use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{Control, control::Inner};

/// Ticks until the server stops, or its last handle is dropped.
#[derive(Debug)]
pub(crate) struct Ticks {
    control: Weak<Inner>,
    stop: CancellationToken,
    interval: Interval,
}

impl Ticks {
    pub(crate) fn new(every: Duration, control: &Control, stop: &CancellationToken) -> Self {
        let mut interval = tokio::time::interval(every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            control: control.downgrade(),
            stop: stop.clone(),
            interval,
        }
    }

    /// Waits for the next tick, and hands out the server, which is to be let go before the one after
    /// that; none when it has ended.
    pub(crate) async fn next(&mut self) -> Option<Control> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            _ = self.interval.tick() => Control::upgrade(&self.control),
        }
    }
}
